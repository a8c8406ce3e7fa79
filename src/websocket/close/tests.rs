use super::*;

#[test]
fn codes_that_no_frame_may_carry_are_refused() {
    for code in 0..=u16::MAX {
        let allowed = match code {
            0..=999 => false,
            1000..=1003 => true,
            1004..=1006 => false,
            1007..=1014 => true,
            1015..=2999 => false,
            3000..=4999 => true,
            5000..=u16::MAX => false,
        };
        assert_eq!(CloseCode::new(code).is_receivable(), allowed, "{code}");
        assert_eq!(CloseCode::new(code).is_sendable(), allowed, "{code}");
    }
}
