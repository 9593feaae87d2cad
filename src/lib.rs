//! ackd: ack first, answer later.
pub mod bot;
pub mod http;
pub mod limits;
pub mod model;
pub mod platform;
pub mod queue;
