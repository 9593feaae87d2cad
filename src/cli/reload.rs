//! `ackd reload`: the daemon reads its configuration again.

use super::CliError;
use super::control;
use crate::config::Outline;
use crate::daemon::control_socket;
use std::io::Write;

/// Has the daemon of this configuration read it again, and says what that came to. An error when it is refused: then all is
/// as before.
pub fn reload(config: &Outline, out: &mut dyn Write) -> Result<(), CliError> {
    let socket = control_socket(&config.store);
    match control::ask(&socket, "/reload", b"{}") {
        Ok(lines) => lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(CliError::from),
        Err(control::ControlFault::Unreachable(why)) => Err(CliError::Failed(control::nobody_at(&socket, &why))),
        Err(fault) => Err(CliError::Failed(fault.to_string())),
    }
}
