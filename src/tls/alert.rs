//! Alerts that rustls says otherwise than the standards have it, or not at all
//! (RFC 8446 §6).

use alloc::vec::Vec;

use rustls::{
    AlertDescription, CommonState, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved,
    ProtocolVersion,
};

use crate::net::TransportLimit;

const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// A record that rustls answers with unexpected_message after the handshake, under the
/// keys of the connection: `change_cipher_spec`.
pub(super) const UNEXPECTED: [u8; 6] = [20, 3, 3, 0, 1, 1];
/// A record that it answers with decode_error at any time: there is no such type.
pub(super) const NO_RECORD: [u8; 6] = [0xff, 3, 3, 0, 1, 0];

/// Whether a record of this type cannot come, as the handshake is over (RFC 8446 §5, §5.2;
/// RFC 5246 §6.2.1). rustls would take it for one that was changed.
pub(super) fn has_no_place(kind: u8, state: &CommonState) -> bool {
    const DATA: u8 = 23;
    kind != DATA
        && !state.is_handshaking()
        && (state.protocol_version() == Some(ProtocolVersion::TLSv1_3)
            || !(20..=DATA).contains(&kind))
}

/// Puts RFC 8446's alert after `mark` where rustls has another or none and all is `clear`.
/// `input` holds the fault.
pub(super) fn correct(error: &Error, input: &[u8], mark: usize, clear: bool, out: &mut Vec<u8>) {
    let wanted = match error {
        Error::InvalidMessage(InvalidMessage::MessageTooLarge) => AlertDescription::RecordOverflow,
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            AlertDescription::UnexpectedMessage
        }
        // A hello of TLS 1.1 has no such extension, and cannot have it.
        Error::PeerIncompatible(PeerIncompatible::SignatureAlgorithmsExtensionRequired)
            if is_older_hello(input) =>
        {
            AlertDescription::ProtocolVersion
        }
        Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => {
            AlertDescription::IllegalParameter
        }
        Error::InvalidMessage(_) if out.len() == mark => AlertDescription::DecodeError,
        _ => return,
    };
    match &mut out[mark..] {
        [] if clear => out.extend_from_slice(&in_clear(FATAL, wanted)),
        said => rename(said, wanted),
    }
}

/// Whether a record begins with a hello of TLS 1.1 or older (RFC 8446 §4.1.2).
fn is_older_hello(input: &[u8]) -> bool {
    matches!(input, [22, _, _, _, _, 1, _, _, _, 3, ..=2, ..])
}

/// Changes a fatal alert in the clear into this one.
pub(super) fn rename(said: &mut [u8], wanted: AlertDescription) {
    if let [21, _, _, 0, 2, FATAL, code] = said {
        *code = wanted.into();
    }
}

/// Appends the alert for this limit by having rustls refuse [`NO_RECORD`], after `mark`.
///
/// No alert fits a sealed handshake that ran out of time, and none is said.
pub(super) fn tell_limit(limit: TransportLimit, mark: usize, out: &mut Vec<u8>) {
    let is_clear = matches!(out[mark..], [21, _, _, 0, 2, FATAL, _]);
    match limit {
        TransportLimit::Time => {
            out.truncate(mark);
            if is_clear {
                out.extend_from_slice(&in_clear(WARNING, AlertDescription::UserCanceled));
                out.extend_from_slice(&in_clear(WARNING, AlertDescription::CloseNotify));
            }
        }
        TransportLimit::Record => rename(&mut out[mark..], AlertDescription::RecordOverflow),
        TransportLimit::Handshake => rename(&mut out[mark..], AlertDescription::DecodeError),
    }
}

fn in_clear(level: u8, alert: AlertDescription) -> [u8; 7] {
    [21, 3, 3, 0, 2, level, alert.into()]
}
