// A property fails by panicking.
#![allow(clippy::panic, reason = "here a panic is how a failure is told")]

use ackd::notation::json::Value;
use serde::de::IgnoredAny;
use serde_json::Value as Tree;

/// Our walk takes the texts that serde_json takes, but for those in which more stands in each other than anybody writes; and
/// whatever serde_json finds in one, the walk finds there, too.
pub fn check(text: &[u8]) {
    let ours = Value::read(text);
    // serde_json does not look whether what it passes over is UTF-8.
    let known = std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let brackets = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if ours.is_some() || brackets <= 128 {
        assert_eq!(ours.is_some(), known, "{:?}", String::from_utf8_lossy(text));
    }
    // A tree cannot hold what a walk passes over: half an emoji, or a number out of range.
    if let (Some(ours), Ok(tree)) = (ours, serde_json::from_slice(text)) {
        compare(ours, &tree);
    }
}

fn compare(ours: Value<'_>, tree: &Tree) {
    assert_eq!((ours.is_object(), ours.is_list()), (tree.is_object(), tree.is_array()));
    assert_eq!((ours.is_string(), ours.is_there()), (tree.is_string(), !tree.is_null()));
    assert_eq!(ours.raw() == "true", *tree == Tree::Bool(true));
    match tree {
        Tree::String(text) => assert_eq!(ours.text().as_deref(), Some(text.as_str())),
        // Text of digits that stands for them; how they are rounded is nobody's business here.
        Tree::Number(number) => {
            assert_eq!(ours.text().as_deref(), Some(ours.raw()));
            assert_eq!(ours.integer().filter(|_| number.is_i64()), number.as_i64());
        }
        Tree::Array(items) => {
            let found = ours.items(usize::MAX);
            assert_eq!(found.len(), items.len());
            found.into_iter().zip(items).for_each(|(ours, item)| compare(ours, item));
        }
        Tree::Object(members) => members.iter().for_each(|(name, member)| compare(ours.get(name), member)),
        Tree::Null | Tree::Bool(_) => assert_eq!(ours.text(), None),
    }
}
