/// Not written yet.
pub fn check(_data: &[u8]) {}
