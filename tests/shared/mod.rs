//! What several folders of tests have in common: the real daemon as a process, addresses of its own, browsers played and
//! real, chance that can be repeated.
// Each of them uses a part.
#![allow(dead_code)]

pub mod address;
pub mod browser;
pub mod chromium;
pub mod daemon;
pub mod head;
pub mod luck;

use std::time::Duration;

/// How long a test waits for what must come. It is only ever used up by a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);
