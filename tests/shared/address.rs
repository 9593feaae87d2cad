//! Addresses of our own. Every daemon and every stand-in has a loopback address that nobody else uses, so that it
//! finds its port free when it comes back, whatever other tests connect to meanwhile.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// A fresh address out of 127.0.0.0/8; where the machine has only 127.0.0.1, that one.
pub fn own_loopback() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let process = std::process::id() % 60_000;
    let [high, low] = [process / 250 + 1, process % 250 + 1].map(|part| part as u8);
    let own = Ipv4Addr::new(127, high, low, NEXT.fetch_add(1, Ordering::Relaxed) as u8);
    if TcpListener::bind((own, 0)).is_ok() { own } else { Ipv4Addr::LOCALHOST }
}
