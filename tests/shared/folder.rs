//! A folder of one test's own.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// Empty at first, and gone at the end, also when the test fails.
pub struct Folder(PathBuf);

impl Folder {
    /// One of this name, which no other test has.
    pub fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("ackd-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
