//! Descriptors by the names of what they describe.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::mapping::Mapping;
use crate::grpc::protobuf::{Fields, Value};

/// The deepest that messages are looked for in messages.
const DEPTH: u32 = 64;

/// A `FileDescriptorSet` that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a FileDescriptorSet (google/protobuf/descriptor.proto)")]
pub struct InvalidDescriptors;

/// Descriptors that do not describe a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDescribed {
    /// They do not have it.
    #[error("descriptors do not have this service")]
    Service,
    /// A file is missing that others import, or they contradict each other.
    #[error("descriptors are not complete: protoc needs --include_imports")]
    Incomplete,
}

/// The files of a set, and which of them has what.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    pub(super) files: Vec<File>,
    by_name: BTreeMap<String, usize>,
    symbols: BTreeMap<String, usize>,
    extensions: BTreeMap<String, BTreeMap<u64, usize>>,
    pub(super) services: Vec<String>,
    pub(super) safe: BTreeSet<String>,
    #[cfg(feature = "proto-json")]
    pool: std::sync::OnceLock<Option<prost_reflect::DescriptorPool>>,
}

#[derive(Debug, Default)]
pub(super) struct File {
    pub(crate) bytes: Vec<u8>,
    dependencies: Vec<String>,
}

impl Descriptors {
    pub(super) fn read(set: &[u8]) -> Result<Self, InvalidDescriptors> {
        let mut descriptors = Self::default();
        each(set, |number, value| match number {
            1 => descriptors.file(value.bytes()),
            _ => Ok(()),
        })?;
        Ok(descriptors)
    }

    pub(super) fn check(&self, service: &str) -> Result<(), NotDescribed> {
        if !self.services.iter().any(|name| name == service) {
            return Err(NotDescribed::Service);
        }
        #[cfg(feature = "proto-json")]
        self.pool().ok_or(NotDescribed::Incomplete)?;
        Ok(())
    }

    pub(super) fn is_safe(&self, service: &str, method: &str) -> bool {
        self.safe.contains(&format!("{service}.{method}"))
    }

    #[cfg(feature = "proto-json")]
    pub(super) fn mapping(&self, service: &str, method: &str) -> Option<Mapping> {
        Mapping::of(self.pool()?, service, method)
    }

    /// None: that takes the feature `proto-json`.
    #[cfg(not(feature = "proto-json"))]
    pub(super) const fn mapping(&self, _: &str, _: &str) -> Option<Mapping> {
        None
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn with_symbol(&self, symbol: &str) -> Option<usize> {
        self.symbols.get(symbol).copied()
    }

    pub(super) fn with_extension(&self, of: &str, number: u64) -> Option<usize> {
        self.extensions.get(of)?.get(&number).copied()
    }

    pub(crate) fn extensions(&self, of: &str) -> Option<impl Iterator<Item = u64>> {
        self.symbols.get(of)?;
        Some(
            self.extensions
                .get(of)
                .into_iter()
                .flatten()
                .map(|(&n, _)| n),
        )
    }

    /// A file and all that it depends on, each once, itself first.
    pub(super) fn closure(&self, file: usize) -> Vec<usize> {
        let mut found = alloc::vec![file];
        let mut next = 0;
        while let Some(file) = found.get(next).and_then(|&at| self.files.get(at)) {
            next += 1;
            for name in &file.dependencies {
                if let Some(at) = self.named(name)
                    && !found.contains(&at)
                {
                    found.push(at);
                }
            }
        }
        found
    }

    fn file(&mut self, bytes: &[u8]) -> Result<(), InvalidDescriptors> {
        let at = self.files.len();
        let (mut name, mut package) = ("", "");
        let mut dependencies = Vec::new();
        each(bytes, |number, value| {
            match number {
                1 => name = text(value)?,
                2 => package = text(value)?,
                3 => dependencies.push(String::from(text(value)?)),
                _ => {}
            }
            Ok(())
        })?;
        each(bytes, |number, value| match number {
            4 => self.message(at, package, value.bytes(), 0),
            5 => self.enumeration(at, package, value.bytes()),
            6 => self.service(at, package, value.bytes()),
            7 => self.header(at, package, value.bytes()),
            _ => Ok(()),
        })?;
        self.by_name.insert(name.into(), at);
        self.files.push(File {
            bytes: bytes.into(),
            dependencies,
        });
        Ok(())
    }

    fn message(
        &mut self,
        at: usize,
        scope: &str,
        bytes: &[u8],
        depth: u32,
    ) -> Result<(), InvalidDescriptors> {
        if depth > DEPTH {
            return Err(InvalidDescriptors);
        }
        let name = self.symbol(at, scope, bytes)?;
        each(bytes, |number, value| match number {
            2 | 6 => self.header(at, &name, value.bytes()),
            3 => self.message(at, &name, value.bytes(), depth + 1),
            4 => self.enumeration(at, &name, value.bytes()),
            8 => self.symbol(at, &name, value.bytes()).map(drop), // a oneof
            _ => Ok(()),
        })
    }

    /// A field, which may be an extension of another message.
    fn header(&mut self, at: usize, scope: &str, bytes: &[u8]) -> Result<(), InvalidDescriptors> {
        self.symbol(at, scope, bytes)?;
        let (mut extended, mut extension) = (None, None);
        each(bytes, |number, value| {
            match (number, value) {
                (2, _) => extended = Some(text(value)?),
                (3, Value::Number(number)) => extension = Some(number),
                _ => {}
            }
            Ok(())
        })?;
        if let (Some(of), Some(number)) = (extended, extension) {
            let of = of.strip_prefix('.').unwrap_or(of);
            let numbers = self.extensions.entry(of.into()).or_default();
            numbers.insert(number, at);
        }
        Ok(())
    }

    fn enumeration(
        &mut self,
        at: usize,
        scope: &str,
        bytes: &[u8],
    ) -> Result<(), InvalidDescriptors> {
        self.symbol(at, scope, bytes)?;
        each(bytes, |number, value| match number {
            2 => self.symbol(at, scope, value.bytes()).map(drop),
            _ => Ok(()),
        })
    }

    fn service(&mut self, at: usize, scope: &str, bytes: &[u8]) -> Result<(), InvalidDescriptors> {
        let name = self.symbol(at, scope, bytes)?;
        each(bytes, |number, value| match number {
            2 => self.method(at, &name, value.bytes()),
            _ => Ok(()),
        })?;
        self.services.push(name);
        Ok(())
    }

    /// A method, whose options may say that it has no side effects.
    fn method(&mut self, at: usize, scope: &str, bytes: &[u8]) -> Result<(), InvalidDescriptors> {
        const OPTIONS: u32 = 4;
        const IDEMPOTENCY_LEVEL: u32 = 34;
        const NO_SIDE_EFFECTS: Value<'_> = Value::Number(1);
        let name = self.symbol(at, scope, bytes)?;
        let mut is_safe = false;
        each(bytes, |number, value| match number {
            OPTIONS => each(value.bytes(), |number, value| {
                is_safe |= (number, value) == (IDEMPOTENCY_LEVEL, NO_SIDE_EFFECTS);
                Ok(())
            }),
            _ => Ok(()),
        })?;
        if is_safe {
            self.safe.insert(name);
        }
        Ok(())
    }

    /// The messages as a library for JSON has them, put together once; `None` if something
    /// is missing among them.
    #[cfg(feature = "proto-json")]
    pub(super) fn pool(&self) -> Option<&prost_reflect::DescriptorPool> {
        let pool = self.pool.get_or_init(|| {
            let mut set = Vec::new();
            for file in &self.files {
                crate::grpc::protobuf::put_bytes(1, &file.bytes, &mut set);
            }
            prost_reflect::DescriptorPool::decode(&*set).ok()
        });
        pool.as_ref()
    }

    /// Notes what a descriptor describes, by its full name: its field 1, in
    /// this scope.
    fn symbol(
        &mut self,
        at: usize,
        scope: &str,
        bytes: &[u8],
    ) -> Result<String, InvalidDescriptors> {
        let mut name = "";
        each(bytes, |number, value| {
            if number == 1 {
                name = text(value)?;
            }
            Ok(())
        })?;
        let mut full = String::from(scope);
        if !scope.is_empty() {
            full.push('.');
        }
        full.push_str(name);
        self.symbols.insert(full.clone(), at);
        Ok(full)
    }
}

fn text(value: Value<'_>) -> Result<&str, InvalidDescriptors> {
    value.text().ok_or(InvalidDescriptors)
}

/// Looks at every field of a message.
fn each<'m>(
    message: &'m [u8],
    mut look: impl FnMut(u32, Value<'m>) -> Result<(), InvalidDescriptors>,
) -> Result<(), InvalidDescriptors> {
    Fields::new(message).try_for_each(|field| {
        let (number, value) = field.map_err(|_| InvalidDescriptors)?;
        look(number, value)
    })
}
