use super::*;
use alloc::string::ToString as _;

#[test]
fn who_has_reset_a_stream_is_told_apart() {
    let error = WebSocketError::ended(EndReason::StreamError(StreamError::TooManyFields));
    assert!(matches!(error, WebSocketError::Stream(_)), "{error:?}");
    assert!(!error.to_string().contains("reset"), "{error}");
    let error = WebSocketError::ended(EndReason::StreamReset { code: 8 });
    assert_eq!(
        error.to_string(),
        "the connection was lost: the server reset its stream"
    );
}
