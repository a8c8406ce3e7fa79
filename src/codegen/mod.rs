//! Typed services and clients from `.proto` files, for build scripts.
//!
//! No protoc is needed: protox compiles the files and prost-build writes their messages. For
//! each service this module adds a trait to implement, a function that makes a
//! [`Service`](https://docs.rs/barewire/latest/barewire/app/struct.Service.html) of an
//! implementation (to clients of gRPC, gRPC-Web and Connect), and a client.
//!
//! ```toml
//! [dependencies]
//! barewire = { version = "0.1", features = ["prost"] }
//! prost = "0.14"
//!
//! [build-dependencies]
//! barewire = { version = "0.1", default-features = false, features = ["codegen"] }
//! ```
//!
//! The script, `build.rs`:
//!
//! ```no_run
//! fn main() -> Result<(), barewire::codegen::Error> {
//!     barewire::codegen::Builder::new().compile(&["protos/echo.proto"], &["protos"])
//! }
//! ```
//!
//! The program, for a service `echo.Echo` with a method `Say`:
//!
//! ```ignore
//! use barewire::app::{App, Call, CallStatus, UnaryResponse};
//! use barewire::client::{CallOptions, Channel};
//!
//! mod protos {
//!     include!(concat!(env!("OUT_DIR"), "/protos.rs"));
//! }
//! use protos::echo::{Text, echo_client::EchoClient, echo_server::{self, Echo}};
//!
//! struct Parrot;
//!
//! impl Echo for Parrot {
//!     fn say(&self, text: Text, _call: &mut Call<'_>) -> Result<UnaryResponse<Text>, CallStatus> {
//!         Ok(text.into())
//!     }
//! }
//!
//! let server = App::new().grpc(echo_server::service(Parrot)).listen("127.0.0.1:0")?.spawn()?;
//! let client = EchoClient::new(Channel::connect(&server.local_addresses()[0].to_string())?);
//! let said = client.say(&Text { text: "hello".into() }, CallOptions::new())?;
//! ```
//!
//! | in the file | in Rust |
//! |---|---|
//! | `package a.b;` | modules `a::b` of `protos.rs` |
//! | `service Echo` | `echo_server::Echo`, a trait; `echo_server::service` and `SERVICE_NAME`; `echo_client::EchoClient`, and `EchoLoopClient`, whose calls never block |
//! | `rpc SayHello`, `rpc Type` | `say_hello`, `r#type`: a method answers UNIMPLEMENTED until it is written |
//! | comments, `deprecated` | documentation, `#[deprecated]` |
//! | `idempotency_level = NO_SIDE_EFFECTS` | `Service::no_side_effects`: clients of Connect may use GET |
//! | `google.protobuf.Empty` | `()` |
//! | a message of another crate (`extern_path`, `prost_types`) | itself where a method is given one, wrapped in `barewire::grpc::Proto` elsewhere |

mod generator;
mod templates;
mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::{boxed::Box, env, format, fs, io, println};

/// The options of prost-build, for [`Builder::config`].
pub use prost_build::Config;

/// Why no code was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `.proto` file cannot be found, read or compiled; with its name and place.
    #[error("{0}")]
    Proto(String),
    /// Files cannot be written.
    #[error("the generated code cannot be written: {0}")]
    Write(#[from] io::Error),
    /// Neither `OUT_DIR` nor [`Builder::out_dir`] is set.
    #[error("OUT_DIR is not set: a build script has it, others set Builder::out_dir")]
    NoOutDir,
}

/// Generates code for services, in a build script.
///
/// ```no_run
/// use barewire::codegen::{Builder, Config};
///
/// # fn main() -> Result<(), barewire::codegen::Error> {
/// let mut config = Config::new();
/// config.type_attribute("shop.Item", "#[derive(Eq, Hash)]");
/// Builder::new()
///     .config(config)
///     .descriptors(true) // protos::FILE_DESCRIPTOR_SET
///     .build_client(false)
///     .compile(&["protos/shop.proto", "protos/users.proto"], &["protos"])
/// # }
/// ```
#[derive(Debug)]
pub struct Builder {
    config: Config,
    out: Option<PathBuf>,
    name: String,
    server: bool,
    client: bool,
    descriptors: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Generates servers and clients.
    pub fn new() -> Self {
        Self {
            config: Config::new(),
            out: None,
            name: String::from("protos"),
            server: true,
            client: true,
            descriptors: false,
        }
    }

    /// Sets what prost-build does with messages: attributes, types of other crates, maps. Its
    /// service generator, include file and folder are set by this builder.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Names the file that includes all others, without its `.rs`, where a script compiles
    /// several sets. Default `protos`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = String::from(name);
        self
    }

    /// The folder for the code, in place of cargo's `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Whether traits for servers are generated. Default true.
    #[must_use]
    pub const fn build_server(mut self, yes: bool) -> Self {
        self.server = yes;
        self
    }

    /// Whether clients are generated, which need barewire's feature `client`. Default true.
    #[must_use]
    pub const fn build_client(mut self, yes: bool) -> Self {
        self.client = yes;
        self
    }

    /// Whether the descriptors of all files are kept, as `FILE_DESCRIPTOR_SET` beside the
    /// modules of packages: for `Reflection`, and for JSON by `Service::described_by`. Default
    /// false.
    #[must_use]
    pub const fn descriptors(mut self, yes: bool) -> Self {
        self.descriptors = yes;
        self
    }

    /// Compiles `protos` and what they import, which are looked for in the folders `includes`,
    /// and writes the code. Cargo runs the script again when one of the files has changed.
    ///
    /// # Errors
    /// [`Error`]: a file with a fault, or no place to write to.
    pub fn compile(
        mut self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(), Error> {
        let of_cargo = || env::var_os("OUT_DIR").map(PathBuf::from);
        let out = self.out.clone().or_else(of_cargo).ok_or(Error::NoOutDir)?;
        let mut compiler = protox::Compiler::new(includes).map_err(faulty)?;
        compiler.include_source_info(true).include_imports(true);
        compiler.open_files(protos).map_err(faulty)?;
        if self.out.is_none() {
            for path in compiler
                .files()
                .filter_map(protox::file::FileMetadata::path)
            {
                println!("cargo:rerun-if-changed={}", path.display());
            }
        }
        let index = format!("{}.rs", self.name);
        self.config.out_dir(&out).include_file(&index);
        let generator = generator::Generator::new(self.server, self.client);
        self.config.service_generator(Box::new(generator));
        self.config.compile_fds(compiler.file_descriptor_set())?;
        if self.descriptors {
            // Comments are for the code, and not for clients.
            let set = compiler
                .include_source_info(false)
                .encode_file_descriptor_set();
            let file = format!("{}.binpb", self.name);
            fs::write(out.join(&file), set)?;
            let mut index = fs::OpenOptions::new().append(true).open(out.join(index))?;
            writeln!(
                index,
                "/// A `FileDescriptorSet` of all files.\n\
                 pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!({file:?});"
            )?;
        }
        Ok(())
    }
}

fn faulty(error: protox::Error) -> Error {
    // With the file and the line, if they are known.
    let text = format!("{error:?}");
    Error::Proto(match text.is_empty() {
        true => error.to_string(),
        false => text,
    })
}
