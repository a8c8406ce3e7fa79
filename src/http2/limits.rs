//! The limits of what an HTTP/2 peer may cost.

use core::time::Duration;

use crate::wire::{Rate, setters};

/// The limits that the peer of a [`Connection`](super::Connection) is subject to.
/// One value serves a whole listener; it is lent to every call. What the peer is
/// told in SETTINGS is taken from it when the connection opens.
///
/// Each number names the attack it stops and what the peer sees. Sizes are in
/// bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Streams that the peer may have open together (SETTINGS_MAX_CONCURRENT_STREAMS).
    /// Stops floods of requests whose handlers pile up. The peer sees RST_STREAM with
    /// REFUSED_STREAM. Default 128.
    pub streams: u32,
    /// Bytes that the peer may send on one stream before we have used it
    /// (SETTINGS_INITIAL_WINDOW_SIZE), 1 to 2^31-1. Stops bodies that outrun their
    /// reader. The peer must wait, or sees FLOW_CONTROL_ERROR. Default 64 KiB.
    pub stream_window: u32,
    /// Bytes that the peer may send on all streams together, 65,535 to 2^31-1. Bounds
    /// the bytes that a connection makes its caller hold. Default 256 KiB.
    pub connection_window: u32,
    /// A frame's payload (SETTINGS_MAX_FRAME_SIZE), 16,384 to 2^24-1. Frames of
    /// header blocks and control frames must lie in the input as a whole. The peer
    /// sees FRAME_SIZE_ERROR. Default 16 KiB.
    pub frame: u32,
    /// A list of fields, counted with 32 bytes a field
    /// (SETTINGS_MAX_HEADER_LIST_SIZE). Stops decompression bombs: nothing is decoded
    /// beyond it. The peer sees 431 and the connection lives on. Default 16 KiB.
    pub header_list: u32,
    /// Fields in a head, and again in trailers. Stops floods of tiny fields. The
    /// scratch's own length is a limit beside it. The peer sees 431. Default 100.
    pub fields: u16,
    /// Takes paths of RFC 3986 alone, without what browsers send beyond it
    /// ([`Target::is_rfc3986`](crate::http::Target::is_rfc3986)). For servers in
    /// front of others that are confused by it. The peer sees PROTOCOL_ERROR.
    /// Default false.
    pub strict_target: bool,
    /// The HPACK table that the peer may fill (SETTINGS_HEADER_TABLE_SIZE), at most
    /// 64 KiB. It is allocated as it fills. Default 4 KiB.
    pub header_table: u32,
    /// The HPACK table that we fill, if the peer allows it, at most 64 KiB. Each field
    /// sent is compared with its entries. Default 4 KiB.
    pub encoder_table: u32,
    /// CONTINUATION frames in a header block. Stops blocks without end
    /// (CVE-2024-27316), of empty frames too. The peer sees ENHANCE_YOUR_CALM.
    /// Default 16.
    pub continuations: u16,
    /// Entries in a SETTINGS frame. Stops frames that are nothing but work
    /// (CVE-2019-9515). The peer sees ENHANCE_YOUR_CALM. Default 32.
    pub settings_entries: u16,
    /// SETTINGS frames (CVE-2019-9515). The peer sees ENHANCE_YOUR_CALM. Default a burst
    /// of 100, 10 a second.
    pub settings_rate: Rate,
    /// PING frames (CVE-2019-9512), and acknowledgements of none of ours; those that
    /// answer frames of ours, as bandwidth probes do, are free. The peer sees
    /// ENHANCE_YOUR_CALM. Default a burst of 1,000, 100 a second.
    pub ping_rate: Rate,
    /// PING frames while no stream is open, of a peer that makes no calls of gRPC. The
    /// peer sees ENHANCE_YOUR_CALM and `too_many_pings`. Default a burst of 20, 1 a second.
    pub idle_ping_rate: Rate,
    /// From a PING in time to the next one in time, of a peer that makes calls of gRPC
    /// ([`Connection::judge_keep_alive`](super::Connection::judge_keep_alive)), while
    /// none of our HEADERS or DATA went between them. Stops keep-alives that are
    /// nothing but load (gRPC A8). Default 5 minutes.
    pub keep_alive_gap: Duration,
    /// From a PING in time to the next one in time while no stream is open. If it is as
    /// short as `keep_alive_gap`, keep-alives without calls are permitted. Default 2 hours.
    pub keep_alive_idle_gap: Duration,
    /// How many PINGs that come before their time are forgiven; our HEADERS and DATA
    /// wipe them out. With one more the peer sees ENHANCE_YOUR_CALM and
    /// `too_many_pings`. Default 2.
    pub keep_alive_strikes: u16,
    /// DATA frames without a byte that do not end their stream (CVE-2019-9518). The
    /// peer sees ENHANCE_YOUR_CALM. Default a burst of 500, 50 a second.
    pub empty_data_rate: Rate,
    /// Streams that the peer resets, and its resets of closed ones: each has cost a
    /// request (CVE-2023-44487). The peer sees ENHANCE_YOUR_CALM. Default a burst of 500,
    /// 50 a second.
    pub reset_rate: Rate,
    /// Streams that we reset for an error of the peer (CVE-2025-8671). The peer sees
    /// ENHANCE_YOUR_CALM. Default a burst of 100, 10 a second.
    pub error_rate: Rate,
    /// Streams that we refuse: over the limit of streams, or, counted 16 times,
    /// of the field list. A client that does not know our settings yet may open
    /// many. The peer sees ENHANCE_YOUR_CALM. Default a burst of 2,048, 100 a
    /// second.
    pub refusal_rate: Rate,
    /// From the first byte of a header block or control frame to its last; for the
    /// preface from the start. Stops heads that trickle in (Slowloris). The peer sees
    /// ENHANCE_YOUR_CALM. Default 10 s.
    pub header_timeout: Duration,
    /// From our SETTINGS to their acknowledgement. The peer sees SETTINGS_TIMEOUT.
    /// Default 10 s.
    pub settings_timeout: Duration,
    /// How long a connection lives on which no stream is open. Stops idle connections
    /// from piling up. The peer sees GOAWAY with NO_ERROR. Default 60 s.
    pub idle_timeout: Duration,
    /// How long data of ours may wait for a window of the peer without a byte of
    /// progress on its stream (CVE-2019-9511, -9517); no time at all once the peer has
    /// sent its last byte. The peer sees RST_STREAM with CANCEL. Default 60 s.
    pub stall_timeout: Duration,
    /// How long the rest of a request is read and dropped after a response that
    /// was complete before it, until RST_STREAM with NO_ERROR says that it is not
    /// needed (RFC 9113 §8.1). Some clients take that for an error (curl 7.88);
    /// what is short ends in time without it. Zero resets immediately;
    /// [`Duration::MAX`] waits as long as the rest keeps the pace of a body.
    /// Taken from here when the connection opens. Default 1 s.
    pub early_reset: Duration,
    /// How long the peer may be silent while streams are open before it is pinged.
    /// Finds peers that were lost without a word. Default 60 s.
    pub ping_interval: Duration,
    /// How long the answer to our ping may take. The connection ends. Default 20 s.
    pub ping_timeout: Duration,
    /// From the first GOAWAY of a graceful shutdown to the second, if the peer does
    /// not answer the ping between them. Default 1 s.
    pub drain_timeout: Duration,
    /// How old a connection may become, give or take a tenth, before it is ended
    /// gracefully: so that clients that never leave spread over servers that come
    /// later. The peer sees GOAWAY with NO_ERROR. Default [`Duration::MAX`]: as old as
    /// it likes.
    pub connection_age: Duration,
    /// How long what is under way may take once that age was reached. The connection
    /// ends. Default 5 minutes.
    pub connection_grace: Duration,
}

impl Limits {
    /// Limits that are safe on the open internet.
    pub const DEFAULT: Self = Self {
        streams: 128,
        stream_window: 64 << 10,
        connection_window: 256 << 10,
        frame: 16 << 10,
        header_list: 16 << 10,
        fields: 100,
        strict_target: false,
        header_table: 4096,
        encoder_table: 4096,
        continuations: 16,
        settings_entries: 32,
        settings_rate: Rate {
            burst: 100,
            per_second: 10,
        },
        ping_rate: Rate {
            burst: 1000,
            per_second: 100,
        },
        idle_ping_rate: Rate {
            burst: 20,
            per_second: 1,
        },
        keep_alive_gap: Duration::from_secs(300),
        keep_alive_idle_gap: Duration::from_secs(7200),
        keep_alive_strikes: 2,
        empty_data_rate: Rate {
            burst: 500,
            per_second: 50,
        },
        reset_rate: Rate {
            burst: 500,
            per_second: 50,
        },
        error_rate: Rate {
            burst: 100,
            per_second: 10,
        },
        refusal_rate: Rate {
            burst: 2048,
            per_second: 100,
        },
        header_timeout: Duration::from_secs(10),
        settings_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(60),
        stall_timeout: Duration::from_secs(60),
        early_reset: Duration::from_secs(1),
        ping_interval: Duration::from_secs(60),
        ping_timeout: Duration::from_secs(20),
        drain_timeout: Duration::from_secs(1),
        connection_age: Duration::MAX,
        connection_grace: Duration::from_secs(300),
    };

    setters! {
        with_streams streams: u32,
        with_stream_window stream_window: u32,
        with_connection_window connection_window: u32,
        with_frame frame: u32,
        with_header_list header_list: u32,
        with_fields fields: u16,
        with_strict_target strict_target: bool,
        with_header_table header_table: u32,
        with_encoder_table encoder_table: u32,
        with_continuations continuations: u16,
        with_settings_entries settings_entries: u16,
        with_settings_rate settings_rate: Rate,
        with_ping_rate ping_rate: Rate,
        with_idle_ping_rate idle_ping_rate: Rate,
        with_keep_alive_gap keep_alive_gap: Duration,
        with_keep_alive_idle_gap keep_alive_idle_gap: Duration,
        with_keep_alive_strikes keep_alive_strikes: u16,
        with_empty_data_rate empty_data_rate: Rate,
        with_reset_rate reset_rate: Rate,
        with_error_rate error_rate: Rate,
        with_refusal_rate refusal_rate: Rate,
        with_header_timeout header_timeout: Duration,
        with_settings_timeout settings_timeout: Duration,
        with_idle_timeout idle_timeout: Duration,
        with_early_reset early_reset: Duration,
        with_stall_timeout stall_timeout: Duration,
        with_ping_interval ping_interval: Duration,
        with_ping_timeout ping_timeout: Duration,
        with_drain_timeout drain_timeout: Duration,
        with_connection_age connection_age: Duration,
        with_connection_grace connection_grace: Duration,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
