use super::*;

#[test]
fn a_window_never_goes_above_its_bound_but_may_go_below_zero() {
    let mut window = SendWindow::new(65_535);
    assert_eq!(window.grow(i64::from(MAX_31) - 65_535), Some(()));
    assert_eq!(window.grow(1), None);
    assert_eq!(window.open(), MAX_31 as usize);
    let mut window = SendWindow::new(10);
    window.take(10);
    assert_eq!(window.grow(-20), Some(()));
    assert_eq!(window.open(), 0);
    assert_eq!(window.grow(21), Some(()));
    assert_eq!(window.open(), 1);
}

#[test]
fn what_is_given_back_does_not_depend_on_the_pieces() {
    for pieces in [&[100u32][..], &[60, 40], &[1, 49, 50], &[30, 30, 30, 10]] {
        let mut window = ReceiveWindow::new(100);
        window.take(100).unwrap();
        let back: u32 = pieces
            .iter()
            .map(|&n| {
                window.free(n);
                window.give_back(100)
            })
            .sum();
        assert_eq!((back, window.held()), (100, 0));
    }
    let mut window = ReceiveWindow::new(100);
    window.take(99).unwrap();
    assert_eq!(window.free(200), 99);
    assert_eq!(window.give_back(100), 50);
    assert_eq!(window.take(52), None);
    assert_eq!(window.take(51), Some(()));
}
