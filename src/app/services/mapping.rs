//! The JSON of messages of Protocol Buffers.

#[cfg(feature = "proto-json")]
pub(super) use mapped::Mapping;

#[cfg(feature = "proto-json")]
mod mapped {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use prost_reflect::prost::Message;
    use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};

    use crate::app::services::codec::CallStatus;
    use crate::grpc::{Code, Status};

    /// The messages of one method, as their descriptors say.
    #[derive(Debug, Clone)]
    pub(in crate::app::services) struct Mapping {
        request: MessageDescriptor,
        response: MessageDescriptor,
    }

    impl Mapping {
        /// The mapping of a method of a service; `None` if it is not described.
        pub(in crate::app::services) fn of(
            pool: &DescriptorPool,
            service: &str,
            method: &str,
        ) -> Option<Self> {
            let service = pool.get_service_by_name(service)?;
            let method = service.methods().find(|it| it.name() == method)?;
            Some(Self {
                request: method.input(),
                response: method.output(),
            })
        }

        /// The message of a request that has come as `json`.
        pub(in crate::app::services) fn read(&self, json: &[u8]) -> Result<Vec<u8>, CallStatus> {
            let unreadable = |error: serde_json::Error| {
                CallStatus::from(Status::new(Code::InvalidArgument, error.to_string()))
            };
            // A client may send no content for a message without fields.
            let json = if json.is_empty() { b"{}" } else { json };
            let mut json = serde_json::Deserializer::from_slice(json);
            let read = DynamicMessage::deserialize(self.request.clone(), &mut json);
            let message = read.map_err(unreadable)?;
            json.end().map_err(unreadable)?;
            Ok(message.encode_to_vec())
        }

        /// Replaces the message of a response, which stands after `start`, by its JSON.
        pub(in crate::app::services) fn write(
            &self,
            out: &mut Vec<u8>,
            start: usize,
        ) -> Result<(), CallStatus> {
            let failed = |error: &dyn core::fmt::Display| {
                CallStatus::from(Status::new(Code::Internal, error.to_string()))
            };
            let bytes = out.get(start..).unwrap_or_default();
            let message = DynamicMessage::decode(self.response.clone(), bytes);
            let message = message.map_err(|error| failed(&error))?;
            out.truncate(start);
            let mut json = serde_json::Serializer::new(&mut *out);
            let options = SerializeOptions::new().stringify_64_bit_integers(true);
            let written = message.serialize_with_options(&mut json, &options);
            written.map_err(|error| failed(&error))
        }
    }
}

/// None: that takes the feature `proto-json`.
#[cfg(not(feature = "proto-json"))]
#[derive(Debug, Clone)]
pub(super) enum Mapping {}

#[cfg(not(feature = "proto-json"))]
impl Mapping {
    pub(super) fn read(&self, _: &[u8]) -> Result<alloc::vec::Vec<u8>, super::codec::CallStatus> {
        match *self {}
    }

    pub(super) fn write(
        &self,
        _: &mut alloc::vec::Vec<u8>,
        _: usize,
    ) -> Result<(), super::codec::CallStatus> {
        match *self {}
    }
}
