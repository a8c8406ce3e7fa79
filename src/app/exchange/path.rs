//! A request's path, in segments and percent-decoded.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use crate::http::target::{Plus, percent_decode};

/// A path whose segments are percent-decoded one by one, so that an encoded slash separates
/// nothing.
///
/// ```text
///  sent      /users/J%C3%BCrgen/a%2Fb
///  text      /users/Jürgen/a/b
///  segments   ~~~~~ ~~~~~~ ~~~
/// ```
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    text: String,
    segments: Vec<(u32, u32)>,
}

/// A `%` without two hexadecimal digits, or octets that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadEscape;

impl Path {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.segments.clear();
    }

    /// Starts over with the path `sent`, which begins with a slash.
    pub(crate) fn decode(&mut self, sent: &str) -> Result<(), BadEscape> {
        self.clear();
        let sent = sent.strip_prefix('/').unwrap_or(sent);
        if sent.bytes().any(|b| b == b'%') {
            return self.decode_escapes(sent);
        }
        self.text.push('/');
        self.text.push_str(sent);
        let mut start = 1;
        for (at, b) in (1..).zip(sent.bytes()) {
            if b == b'/' {
                self.segments.push((start, at));
                start = at + 1;
            }
        }
        self.segments.push((start, self.end()));
        Ok(())
    }

    fn decode_escapes(&mut self, sent: &str) -> Result<(), BadEscape> {
        for segment in sent.split('/') {
            self.text.push('/');
            let start = self.end();
            if segment.contains('%') {
                self.text
                    .push_str(&percent_decode(segment, Plus::Kept).ok_or(BadEscape)?);
            } else {
                self.text.push_str(segment);
            }
            self.segments.push((start, self.end()));
        }
        Ok(())
    }

    // A path lies within a target, whose length is limited far below 4 GiB.
    const fn end(&self) -> u32 {
        self.text.len() as u32
    }

    pub(crate) fn segment(&self, index: usize) -> Option<&str> {
        self.text.get(self.span(index)?)
    }

    /// Where the segment at `index` lies in the text.
    pub(super) fn span(&self, index: usize) -> Option<Range<usize>> {
        let &(start, end) = self.segments.get(index)?;
        Some(start as usize..end as usize)
    }

    /// Where all from the segment at `index` on lies, with slashes between.
    pub(super) fn rest(&self, index: usize) -> Option<Range<usize>> {
        Some(self.span(index)?.start..self.text.len())
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests;
