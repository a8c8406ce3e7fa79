//! One turn of the loop: what is ready is read, served, written and closed.

pub(super) mod active;
pub(super) mod codecs;
pub(super) mod connection;
pub(super) mod delivering;
pub(super) mod departing;
pub(super) mod dispatch;
pub(super) mod failing;
mod fair;
pub(super) mod feed;
pub(super) mod feeding;
pub(super) mod flush;
pub(super) mod holds;
pub(super) mod input_buffer;
pub(super) mod input_buffers;
pub(super) mod lapse;
pub(super) mod memory;
pub(super) mod messages;
pub(super) mod reading;
pub(super) mod room;
pub(super) mod serve;
pub(super) mod socket_state;
pub(super) mod state;
pub(super) mod taking;
pub(super) mod timing;
pub(super) mod turn;
pub(super) mod watch;
pub(super) mod writing;
