use super::*;

fn head(kind: Kind, flags: u8, stream: u32, length: usize) -> Result<(), ProtocolError> {
    check(Head::new(kind, flags, stream, length), 16_384, 32)
}

#[test]
fn lengths_and_streams_are_judged_by_the_head_alone() {
    use ProtocolError::{FrameSize, FrameTooLarge, SettingsTooLong, StreamId};
    assert_eq!(head(Kind::Data, 0, 1, 16_384), Ok(()));
    assert_eq!(head(Kind::Data, 0, 1, 16_385), Err(FrameTooLarge));
    assert_eq!(head(Kind::Unknown(99), 0, 1, 16_385), Err(FrameTooLarge));
    assert_eq!(head(Kind::Data, 0, 0, 1), Err(StreamId));
    assert_eq!(head(Kind::Data, frame::PADDED, 1, 0), Err(FrameSize));
    assert_eq!(head(Kind::Headers, frame::PRIORITY, 1, 4), Err(FrameSize));
    assert_eq!(head(Kind::Priority, 0, 1, 4), Err(FrameSize));
    assert_eq!(head(Kind::RstStream, 0, 1, 5), Err(FrameSize));
    assert_eq!(head(Kind::Settings, 0, 1, 6), Err(StreamId));
    assert_eq!(head(Kind::Settings, 0, 0, 7), Err(FrameSize));
    assert_eq!(head(Kind::Settings, frame::ACK, 0, 6), Err(FrameSize));
    assert_eq!(head(Kind::Settings, 0, 0, 198), Err(SettingsTooLong));
    assert_eq!(head(Kind::Ping, 0, 0, 7), Err(FrameSize));
    assert_eq!(head(Kind::GoAway, 0, 0, 7), Err(FrameSize));
    assert_eq!(head(Kind::WindowUpdate, 0, 0, 5), Err(FrameSize));
    assert_eq!(head(Kind::PushPromise, 0, 1, 50), Err(ProtocolError::Push));
    assert_eq!(head(Kind::Unknown(200), 0, 0, 0), Ok(()));
}

#[test]
fn padding_and_priority_are_cut_off() {
    let flags = frame::PADDED | frame::PRIORITY;
    let payload = [2, 0x80, 0, 0, 7, 15, b'x', b'y', 0, 0];
    let head = Head::new(Kind::Headers, flags, 1, payload.len());
    assert_eq!(fragment(head, &payload), Ok((6..8, 7)));
    let payload = [5, 0x80, 0, 0, 7, 15, b'x', b'y', 0, 0];
    assert_eq!(fragment(head, &payload), Err(ProtocolError::Padding));
}
