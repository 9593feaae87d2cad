//! Messenger.
