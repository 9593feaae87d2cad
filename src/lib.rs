//! ackd: ack first, answer later.
pub mod bot;
pub mod cli;
pub mod config;
pub mod http;
pub mod keeper;
pub mod limits;
pub mod model;
pub mod platform;
pub mod queue;
pub mod store;
pub mod work;
