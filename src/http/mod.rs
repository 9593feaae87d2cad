//! HTTP/1.1 as a server sees it. Pure: it owns no socket and reads no clock.
