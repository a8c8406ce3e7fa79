//! The last envelope of a stream.

use alloc::string::String;
use alloc::vec::Vec;

use super::ErrorBody;
use super::json::{Reader, put_string};
use crate::grpc::{Code, Detail, Status};
use crate::http::{FieldBuffer, Fields};

/// How a stream ended: the JSON of its last envelope (Connect, Error and
/// EndStreamResponse).
///
/// ```
/// use barewire::grpc::connect::EndStream;
///
/// let end = EndStream::parse(br#"{"metadata": {"cost": ["237"]}}"#).unwrap();
/// assert!(end.error.is_none());
/// assert_eq!(end.metadata.as_fields().get("cost").unwrap(), b"237");
/// ```
#[derive(Debug, Default)]
pub struct EndStream {
    /// The error, if the call has failed.
    pub error: Option<ErrorBody>,
    /// The metadata that the server sends last.
    pub metadata: FieldBuffer,
}

impl EndStream {
    /// Reads the message of the last envelope. Members that are unknown do not matter, nor
    /// does metadata that cannot stand in a field of HTTP. `None` if it is not such JSON.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let mut end = Self::default();
        let mut reader = Reader::new(json);
        reader.object(|name, reader| {
            match name {
                "error" if !reader.null() => end.error = Some(ErrorBody::read(reader)?),
                "metadata" if !reader.null() => end.read_metadata(reader)?,
                "error" | "metadata" => {}
                _ => reader.skip()?,
            }
            Some(())
        })?;
        reader.is_at_end().then_some(end)
    }

    fn read_metadata(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        reader.object(|name, reader| {
            reader.array(|reader| {
                let value = reader.string()?;
                let name: String = name.to_ascii_lowercase();
                let _ = self.metadata.push(&name, &value); // it is left out if it cannot stand
                Some(())
            })
        })
    }

    /// Appends the JSON of how a call ended, with metadata that was checked.
    ///
    /// ```
    /// use barewire::grpc::{Code, Status, connect::EndStream};
    /// use barewire::http::{Field, Fields};
    ///
    /// let (mut out, cost) = (Vec::new(), [Field::new("cost", "237")]);
    /// EndStream::put(Status::new(Code::Aborted, ""), &[], Fields::new(&cost), &mut out);
    /// assert_eq!(out, br#"{"error":{"code":"aborted"},"metadata":{"cost":["237"]}}"#);
    /// ```
    pub fn put(status: Status<&str>, details: &[Detail], metadata: Fields<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        if status.code != Code::Ok {
            out.extend_from_slice(b"\"error\":");
            ErrorBody::put(status, details, out);
        }
        if !metadata.is_empty() {
            let comma = if status.code == Code::Ok { "" } else { "," };
            out.extend_from_slice(comma.as_bytes());
            out.extend_from_slice(b"\"metadata\":{");
            put_metadata(metadata, out);
            out.push(b'}');
        }
        out.push(b'}');
    }
}

/// Each name once, with all of its values.
fn put_metadata(metadata: Fields<'_>, out: &mut Vec<u8>) {
    let text = |bytes| core::str::from_utf8(bytes).unwrap_or_default(); // printable ASCII
    let mut is_first = true;
    for (n, field) in metadata.iter().enumerate() {
        if metadata
            .iter()
            .take(n)
            .any(|before| before.name == field.name)
        {
            continue;
        }
        if !core::mem::take(&mut is_first) {
            out.push(b',');
        }
        put_string(text(field.name), out);
        let values = metadata.iter().filter(|other| other.name == field.name);
        for (m, other) in values.enumerate() {
            out.extend_from_slice(if m == 0 { b":[" } else { b"," });
            put_string(text(other.value), out);
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;

    #[test]
    fn values_of_one_name_stand_together() {
        let fields = [("a", "1"), ("b-bin", "AAE"), ("a", "2")].map(|(n, v)| Field::new(n, v));
        let mut out = Vec::new();
        EndStream::put(Status::OK, &[], Fields::new(&fields), &mut out);
        assert_eq!(out, br#"{"metadata":{"a":["1","2"],"b-bin":["AAE"]}}"#);
        let read = EndStream::parse(&out).unwrap();
        let list: Vec<_> = read.metadata.as_fields().get_all("a").collect();
        assert_eq!(list, [b"1", b"2"]);
    }

    #[test]
    fn only_an_object_ends_a_stream() {
        for good in [
            "{}",
            r#"{"error": null}"#,
            r#"{"code": "x"}"#,
            r#"{"metadata": null}"#,
        ] {
            assert!(
                EndStream::parse(good.as_bytes()).unwrap().error.is_none(),
                "{good}"
            );
        }
        for bad in [
            "",
            "null",
            r#"{"error": 1}"#,
            r#"{"metadata": {"a": "b"}}"#,
            "{} x",
        ] {
            assert!(EndStream::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        let end = EndStream::parse(br#"{"metadata": {"X-A": ["1"], "": ["2"], "b": ["\n"]}}"#);
        assert_eq!(end.unwrap().metadata.as_fields().len(), 1);
    }
}
