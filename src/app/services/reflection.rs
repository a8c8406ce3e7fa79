//! `grpc.reflection.v1.ServerReflection`: what the services look like.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::conversation::Conversation;
use super::descriptors::{Descriptors, InvalidDescriptors, NotDescribed};
use super::responses::ResponseStream;
use super::service::Service;
use crate::grpc::protobuf::{Fields, Malformed, Value, put_bytes, put_number};
use crate::grpc::{Code, Status};

/// Tells clients what the services look like, from descriptors given at run
/// time: the services `grpc.reflection.v1.ServerReflection` and its
/// predecessor `v1alpha`, for grpcurl and the like.
///
/// The descriptors are a `FileDescriptorSet` as `protoc --descriptor_set_out
/// --include_imports` writes it, or as a crate builds it at run time. All its services
/// are listed.
///
/// ```
/// use barewire::app::{App, Reflection};
///
/// // A file a.proto of the package a, with a service B.
/// let file = b"\x0a\x07a.proto\x12\x01a\x32\x03\x0a\x01B";
/// let set = [b"\x0a\x11", &file[..]].concat();
/// let reflection = Reflection::new(&set).unwrap();
/// assert!(reflection.services().eq(["a.B"]));
/// App::new().grpc(reflection.service()).grpc(reflection.service_v1alpha());
/// ```
#[derive(Debug, Clone)]
pub struct Reflection(Arc<Descriptors>);

impl Reflection {
    /// Reads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// [`InvalidDescriptors`] if it is not a `FileDescriptorSet`.
    pub fn new(descriptor_set: &[u8]) -> Result<Self, InvalidDescriptors> {
        Descriptors::read(descriptor_set).map(|read| Self(Arc::new(read)))
    }

    /// The names of the services that are listed.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.services.iter().map(alloc::string::String::as_str)
    }

    /// The service `grpc.reflection.v1.ServerReflection`.
    pub fn service(&self) -> Service {
        self.named("grpc.reflection.v1.ServerReflection")
    }

    /// The service under its former name `grpc.reflection.v1alpha.ServerReflection`, which older
    /// tools ask for.
    pub fn service_v1alpha(&self) -> Service {
        self.named("grpc.reflection.v1alpha.ServerReflection")
    }

    fn named(&self, name: &str) -> Service {
        let descriptors = self.0.clone();
        let service = Service::new(name).bidirectional("ServerReflectionInfo", move |_call| {
            Ok(Reflecting {
                descriptors: descriptors.clone(),
                sent: BTreeSet::new(),
            })
        });
        service.of_proto()
    }
}

impl Service {
    /// Uses what descriptors say of this service, to clients of Connect: methods whose
    /// `idempotency_level` is `NO_SIDE_EFFECTS` are also served by GET, and with the feature
    /// `proto-json` those whose messages are Protocol Buffers speak JSON as well, by the
    /// mapping of Protocol Buffers. So does then a call of gRPC with `application/grpc+json`.
    ///
    /// ```
    /// use barewire::app::{Reflection, Service};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A file a.proto of the package a, with a service B.
    /// let file = b"\x0a\x07a.proto\x12\x01a\x32\x03\x0a\x01B";
    /// let reflection = Reflection::new(&[b"\x0a\x11", &file[..]].concat())?;
    /// let service = Service::new("a.B").described_by(&reflection)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotDescribed`] if the descriptors do not have this service, or lack what it refers
    /// to.
    pub fn described_by(mut self, descriptors: &Reflection) -> Result<Self, NotDescribed> {
        descriptors.0.check(&self.name)?;
        self.described = Some(descriptors.0.clone());
        Ok(self)
    }
}

struct Reflecting {
    descriptors: Arc<Descriptors>,
    sent: BTreeSet<usize>, // files that it has
}

/// The answer to a question: a field of the response, and its message.
type Answered = Result<(u32, Vec<u8>), Status>;

const NO_FILE: Status = Status::new(Code::NotFound, "no such file");
const NO_SYMBOL: Status = Status::new(Code::NotFound, "no such symbol");
const NO_EXTENSION: Status = Status::new(Code::NotFound, "no such extension");

impl Reflecting {
    /// Answers the question of a `ServerReflectionRequest`.
    fn answer(&mut self, request: &[u8]) -> Result<Answered, Malformed> {
        let mut asked = None;
        for field in Fields::new(request) {
            let (number, value) = field?;
            if (3..=7).contains(&number) {
                asked = Some((number, value)); // the last of a oneof counts
            }
        }
        let Some((number, value)) = asked else {
            let status = Status::new(Code::InvalidArgument, "nothing is asked for");
            return Ok(Err(status));
        };
        if number == 5 {
            return self.extension(value.bytes());
        }
        let name = value.text().ok_or(Malformed)?;
        let descriptors = &self.descriptors;
        Ok(match number {
            3 => self.file(descriptors.named(name), NO_FILE),
            4 => self.file(descriptors.with_symbol(name), NO_SYMBOL),
            6 => self.extension_numbers(name),
            _ => Ok((6, self.list())),
        })
    }

    /// A `FileDescriptorResponse`: a file and what it depends on, but for what
    /// the client has.
    fn file(&mut self, file: Option<usize>, missing: Status) -> Answered {
        let file = file.ok_or(missing)?;
        let mut out = Vec::new();
        for at in self.descriptors.closure(file) {
            let is_new = self.sent.insert(at);
            if let Some(it) = self.descriptors.files.get(at)
                && (is_new || at == file)
            {
                put_bytes(1, &it.bytes, &mut out);
            }
        }
        Ok((4, out))
    }

    fn extension(&mut self, request: &[u8]) -> Result<Answered, Malformed> {
        let (mut of, mut extension) = ("", 0);
        for field in Fields::new(request) {
            match field? {
                (1, value) => of = value.text().ok_or(Malformed)?,
                (2, Value::Number(number)) => extension = number,
                _ => {}
            }
        }
        let file = self.descriptors.with_extension(of, extension);
        Ok(self.file(file, NO_EXTENSION))
    }

    fn extension_numbers(&self, of: &str) -> Answered {
        let numbers = self.descriptors.extensions(of).ok_or(NO_SYMBOL)?;
        let mut out = Vec::new();
        put_bytes(1, of.as_bytes(), &mut out);
        for number in numbers {
            put_number(2, number, &mut out);
        }
        Ok((5, out))
    }

    fn list(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for name in &self.descriptors.services {
            let mut service = Vec::new();
            put_bytes(1, name.as_bytes(), &mut service);
            put_bytes(1, &service, &mut out);
        }
        out
    }
}

impl Conversation for Reflecting {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        let Ok(answered) = self.answer(&message) else {
            let status = Status::new(Code::Internal, "malformed ServerReflectionRequest");
            return stream.finish(status);
        };
        let mut response = Vec::new();
        for (number, value) in Fields::new(&message).flatten() {
            if number == 1 {
                put_bytes(1, value.bytes(), &mut response);
            }
        }
        put_bytes(2, &message, &mut response);
        match answered {
            Ok((number, answer)) => put_bytes(number, &answer, &mut response),
            Err(Status { code, message }) => {
                let mut error = Vec::new();
                put_number(1, u64::from(code.number()), &mut error);
                put_bytes(2, message.as_bytes(), &mut error);
                put_bytes(7, &error, &mut response);
            }
        }
        stream.send(&response);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }
}
