//! Short lists in the order in which somebody reads them,

/// The items in order: `behind` says whether the first of two comes after the second. Those that are alike stay as
/// they came. Each is put where it belongs, one by one: a sort would be quicker from a few thousand on, but brings
/// 3 KB of its own into the program for every kind of item.
pub fn in_order<T>(items: Vec<T>, behind: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut ordered = Vec::with_capacity(items.len());
    for item in items {
        let place = ordered.partition_point(|placed| !behind(placed, &item));
        ordered.insert(place, item);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_order_and_those_that_are_alike_as_they_came() {
        let items = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let expected = [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')];
        assert_eq!(in_order(items, |one, other| one.0 > other.0), expected);
    }
}
