//! A message with a file in it: `multipart/form-data` (webex.md §7; RFC 7578, RFC 2046 §5.1.1).

use super::call::{self, Members};
use super::refusal::Refused;
use crate::limits::WEBEX_UPLOAD_BYTES_MAX;
use crate::model::{Request, Response};
use crate::notation::{base64, from_base64};
use serde_json::Value;
use std::borrow::Cow;

/// Files that are shown as what they are; any other is only bytes.
const PICTURES: [&str; 3] = ["image/png", "image/jpeg", "image/gif"];
const BYTES: &str = "application/octet-stream";
/// What may be said beside a file.
const TEXTS: [&str; 6] = ["roomId", "toPersonId", "toPersonEmail", "parentId", "text", "markdown"];
/// Longest boundary, in bytes (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;
/// Parts of one body: each text once, and the file.
const PARTS_MAX: usize = TEXTS.len() + 1;

/// The members of a message, and the file that came with them, as a `data:` URL.
pub(super) fn members(request: &Request) -> Result<(Members, Option<String>), Refused> {
    let content_type = String::from_utf8_lossy(request.head.header("content-type").unwrap_or_default()).into_owned();
    let (kind, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return call::members(request).map(|members| (members, None));
    }
    let boundary = parameter(parameters, "boundary").unwrap_or_default();
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return Err(Refused::bad("The Content-Type names no boundary."));
    }
    let mut members = Members::new();
    let mut file = None;
    for part in parts(&request.body, &boundary)? {
        let Part { name, filename, kind, value } = Part::read(part)?;
        match (&*name, filename) {
            ("files", true) if file.is_some() => {
                return Err(Refused::bad("Only one of files is allowed in a message."));
            }
            ("files", true) => file = Some(data_url(&kind, value)?),
            ("files", false) => return Err(Refused::bad("files has no filename, so it is no file.")),
            (text, false) if TEXTS.contains(&text) => {
                let value = std::str::from_utf8(value).map_err(|_| Refused::bad(format!("{name} is not UTF-8.")))?;
                if members.insert(name.clone(), Value::from(value)).is_some() {
                    return Err(Refused::bad(format!("{name} is there twice.")));
                }
            }
            _ => return Err(Refused::bad(format!("A message with a file has no {name:?}."))),
        }
    }
    Ok((members, file))
}

fn data_url(kind: &str, bytes: &[u8]) -> Result<String, Refused> {
    if bytes.is_empty() {
        return Err(Refused::bad("The file is empty."));
    }
    if bytes.len() > WEBEX_UPLOAD_BYTES_MAX {
        return Err(Refused::bad(format!("The file is larger than {WEBEX_UPLOAD_BYTES_MAX} bytes.")));
    }
    let kind = PICTURES.into_iter().find(|known| kind.eq_ignore_ascii_case(known)).unwrap_or(BYTES);
    Ok(format!("data:{kind};base64,{}", base64(bytes)))
}

/// The file that such a URL is; `None` for any other URL.
pub(super) fn response(url: &str) -> Option<Response> {
    let (kind, bytes) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let content_type = PICTURES.into_iter().find(|known| *known == kind).unwrap_or(BYTES);
    let body = Cow::Owned(from_base64(bytes)?);
    Some(Response { status: 200, content_type, headers: Vec::new(), body })
}

/// What stands between the boundaries. Each is at the begin of a line, and the last one has two more dashes.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, Refused> {
    let broken = || Refused::bad("The body is not multipart/form-data.");
    let first = format!("--{boundary}\r\n");
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes()).ok_or_else(broken)?;
    let mut parts = Vec::new();
    loop {
        let (part, after) = split(rest, delimiter.as_bytes()).ok_or_else(broken)?;
        parts.push(part);
        if after.starts_with(b"--") {
            return Ok(parts);
        }
        rest = after.strip_prefix(b"\r\n").filter(|_| parts.len() < PARTS_MAX).ok_or_else(broken)?;
    }
}

/// What stands before and after the first such bytes.
fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(by.len()).position(|window| window == by)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(by.len()..)?))
}

/// One part: its name, whether it is a file, what that is, and the bytes.
struct Part<'a> {
    name: String,
    filename: bool,
    kind: String,
    value: &'a [u8],
}

impl<'a> Part<'a> {
    fn read(part: &'a [u8]) -> Result<Part<'a>, Refused> {
        let (head, value) = split(part, b"\r\n\r\n").ok_or_else(|| Refused::bad("A part of the body has no head."))?;
        let head = String::from_utf8_lossy(head);
        let header = |wanted: &str| {
            let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
            let mut of_name = headers.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
            of_name.next().map(|(_, value)| value.trim().to_owned())
        };
        let disposition = header("content-disposition").unwrap_or_default();
        let parameters = disposition.strip_prefix("form-data").unwrap_or_default();
        let Some(name) = parameter(parameters, "name").filter(|name| !name.is_empty()) else {
            return Err(Refused::bad("A part of the body is no form-data with a name."));
        };
        let filename = parameter(parameters, "filename").is_some_and(|filename| !filename.is_empty());
        Ok(Part { name, filename, kind: header("content-type").unwrap_or_default(), value })
    }
}

/// `; name="value"` or `; name=value`.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let mut of_name = pairs.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
    of_name.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}
