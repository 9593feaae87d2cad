//! What systemd is told: that we are ready, and that we are stopping. Without systemd nobody listens, and nothing
//! happens.

use sd_notify::NotifyState;

/// Listening, and the store is open.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Draining.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::warn!("systemd cannot be told: {error}");
    }
}
