use super::*;

#[test]
fn a_name_is_neither_empty_nor_long_and_has_no_controls() {
    let limits = ChannelLimits::DEFAULT.with_name(4);
    assert_eq!(limits.check_name("tée"), Ok(()));
    assert_eq!(limits.check_name("téée"), Err(ChannelError::NameTooLong));
    for name in ["", "a\n", "\0", "a\u{85}", "\u{7f}"] {
        assert_eq!(limits.check_name(name), Err(ChannelError::InvalidName));
    }
}
