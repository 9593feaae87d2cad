//! A picture that a bot made, and the secret name under which it is shown for a while.

use crate::notation::{base64, from_base64, from_hex, hex};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Under which name pictures are remembered, one key for each. No bot can be called so.
pub const PICTURES: &str = "shown pictures";

/// How each GIF begins.
const GIF: &[u8] = b"GIF89a";

/// A picture's bytes, or where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// A GIF, as base64.
    Gif(String),
    /// At a public URL.
    At(String),
}

impl Picture {
    /// A GIF by its bytes.
    pub fn gif(bytes: &[u8]) -> Picture {
        Picture::Gif(base64(bytes))
    }

    /// The bytes of a GIF, if they are one.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Picture::Gif(text) => from_base64(text).filter(|bytes| bytes.starts_with(GIF)),
            Picture::At(_) => None,
        }
    }
}

/// The name of a picture in its URL: who knows it may see the picture, and it cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PictureName([u8; 16]);

impl PictureName {
    /// Where pictures are, below the public URL. The name follows, and `.gif`.
    pub const PATH: &str = "/.well-known/ackd/picture/";

    /// A name of 128 random bits.
    pub fn new(chance: [u8; 16]) -> PictureName {
        PictureName(chance)
    }

    /// The picture that a path names, in the one way in which it is written.
    pub fn of_path(path: &str) -> Option<PictureName> {
        let digits = path.strip_prefix(PictureName::PATH)?.strip_suffix(".gif")?;
        from_hex(digits.as_bytes()).map(PictureName).filter(|name| name.key() == digits)
    }

    /// The path of the picture.
    pub fn path(&self) -> String {
        format!("{}{}.gif", PictureName::PATH, self.key())
    }

    /// The key under which it is remembered.
    pub fn key(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Debug for PictureName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_picture_in_one_way_only() {
        let name = PictureName::new([0xab; 16]);
        let (path, key) = (name.path(), name.key());
        assert_eq!(path, format!("/.well-known/ackd/picture/{}.gif", "ab".repeat(16)));
        assert_eq!(PictureName::of_path(&path), Some(name));
        for wrong in [
            path.replace("ab", "AB"),
            path.replace(".gif", ""),
            path.replace(".gif", ".GIF"),
            path.replace("/picture/", "/picture//"),
            path.replace(&key, &key[2..]),
            path.replace(&key, &format!("{key}ab")),
            path.replace(&key, &"zz".repeat(16)),
            path.replace(&key, "../../etc/passwd"),
            path.replace(&key, "%61b"),
            format!("{path}/"),
            format!("x{path}"),
            String::new(),
        ] {
            assert_eq!(PictureName::of_path(&wrong), None, "{wrong}");
        }
        assert_eq!(format!("{name:?}"), "***");
    }

    #[test]
    fn only_a_gif_is_a_gif() {
        let gif = [GIF, b"rest"].concat();
        assert_eq!(Picture::gif(&gif).bytes(), Some(gif));
        assert_eq!(Picture::gif(b"<svg>").bytes(), None);
        assert_eq!(Picture::Gif("no base64".to_owned()).bytes(), None);
        assert_eq!(Picture::At("https://example.org/a.png".to_owned()).bytes(), None);
    }
}
