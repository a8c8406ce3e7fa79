//! Replies in pieces that are given up.

use core::fmt::Display;

use super::{Stage, Stream};
use crate::http::Status;
use crate::net::report::report;

impl Stream<'_, '_> {
    /// Cuts the connection.
    pub fn abort(&mut self) {
        self.state.stage = Stage::Finished;
        self.at.context.abort();
    }

    /// Gives the reply up: with 500 where nothing of it has left.
    pub(crate) fn fail(&mut self, why: impl Display) {
        let subject = self.at.subject();
        report!(Error, "{subject}: {why}");
        match self.state.stage {
            Stage::Owing => {
                self.state.stage = Stage::Finished;
                self.at.refuse(&Status::INTERNAL_SERVER_ERROR.into());
            }
            Stage::Writing | Stage::Finished => self.abort(),
        }
    }

    /// Gives it up after a panic.
    pub(crate) fn panicked(&mut self) {
        self.at.loop_state.metrics.panicked();
        self.fail("its blocking work has panicked");
    }
}
