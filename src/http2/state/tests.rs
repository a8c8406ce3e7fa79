use super::*;

const STATES: [State; 5] = [
    State::Idle,
    State::Open,
    State::HalfClosedLocal,
    State::HalfClosedRemote,
    State::Closed,
];
const FRAMES: [Frame; 6] = [
    Frame::Headers { end: false },
    Frame::Headers { end: true },
    Frame::Data { end: false },
    Frame::Data { end: true },
    Frame::Reset,
    Frame::WindowUpdate,
];

const fn mirrored(state: State) -> State {
    match state {
        State::HalfClosedLocal => State::HalfClosedRemote,
        State::HalfClosedRemote => State::HalfClosedLocal,
        State::Idle | State::Open | State::Closed => state,
    }
}

#[test]
fn both_sides_follow_the_same_table() {
    for state in STATES {
        for frame in FRAMES {
            let ours = state.after(By::Us, frame);
            let theirs = mirrored(state).after(By::Peer, frame);
            if state != State::Closed {
                assert_eq!(ours.map(mirrored), theirs, "{state:?} {frame:?}");
            }
        }
    }
}

#[test]
fn content_needs_an_open_side_and_an_end_closes_it() {
    for state in STATES {
        for end in [false, true] {
            let data = state.after(By::Peer, Frame::Data { end });
            assert_eq!(data.is_ok(), state.receives());
            if let Ok(next) = data {
                assert_eq!(next.receives(), !end);
                assert_eq!(next.sends(), state.sends());
            }
            let data = state.after(By::Us, Frame::Data { end });
            assert_eq!(data.is_ok(), state.sends());
        }
        let reset = state.after(By::Peer, Frame::Reset);
        assert_eq!(reset.is_ok(), state != State::Idle);
        assert!(reset.is_err() || reset == Ok(State::Closed));
    }
}
