use super::*;
use alloc::vec::Vec;

fn after(entries: &[(u16, u32)], role: Role) -> Result<Peer, ProtocolError> {
    let payload: Vec<u8> = entries
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    Peer::INITIAL.after(&payload, role)
}

#[test]
fn values_out_of_range_are_refused() {
    use ProtocolError::{Setting, SettingWindow};
    for (id, value, violation) in [
        (2, 2, Setting),
        (4, 0x8000_0000, SettingWindow),
        (5, 16_383, Setting),
        (5, 0x100_0000, Setting),
        (8, 2, Setting),
    ] {
        assert_eq!(after(&[(id, value)], Role::Server), Err(violation));
    }
    assert_eq!(after(&[(2, 1)], Role::Client), Err(Setting));
    assert_eq!(after(&[(8, 1), (8, 0)], Role::Client), Err(Setting));
    assert!(after(&[(2, 1), (99, u32::MAX)], Role::Server).is_ok());
}

#[test]
fn what_one_side_puts_the_other_reads() {
    let limits = Limits::DEFAULT.with_header_table(100).with_streams(7);
    for role in [Role::Client, Role::Server] {
        let mut out = Vec::new();
        Own::new(&limits).put(role, &mut out);
        let reader = if role == Role::Client {
            Role::Server
        } else {
            Role::Client
        };
        let peer = Peer::INITIAL.after(&out[9..], reader).unwrap();
        assert_eq!((peer.header_table, peer.window), (100, 64 << 10));
        assert_eq!(peer.header_list, 16 << 10);
        assert_eq!(peer.connect_protocol, role == Role::Server);
        assert_eq!(peer.streams == 7, role == Role::Server);
    }
}
