//! The descriptors that are served for reflection are those of the `.proto` files.

use prost::Message;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use protox::{Compiler, Error};

/// Relative to the package, where tests run.
const ENCODED: &str = "protos/descriptors.binpb";

/// The files, by the names that they are imported by.
const FILES: [(&str, &str); 4] = [
    (
        "user_service.proto",
        include_str!("../protos/user_service.proto"),
    ),
    (
        "grpc/testing/test.proto",
        include_str!("../protos/test.proto"),
    ),
    (
        "grpc/health/v1/health.proto",
        include_str!("../protos/health.proto"),
    ),
    (
        "grpc/reflection/v1/reflection.proto",
        include_str!("../protos/reflection.proto"),
    ),
];

/// The predecessor of the last of them, which older tools ask for: it differs in
/// its package alone.
const ALPHA: &str = "grpc/reflection/v1alpha/reflection.proto";

struct Embedded;

impl FileResolver for Embedded {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        if name == ALPHA {
            let source = include_str!("../protos/reflection.proto");
            return File::from_source(name, &source.replace("reflection.v1", "reflection.v1alpha"));
        }
        let file = FILES.iter().find(|(known, _)| *known == name);
        let (_, source) = file.ok_or_else(|| Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

fn compiled() -> Result<Vec<u8>, Error> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Embedded);
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_files(FILES.map(|(name, _)| name))?;
    compiler.open_file(ALPHA)?;
    Ok(compiler.file_descriptor_set().encode_to_vec())
}

#[test]
fn the_descriptors_are_those_of_the_proto_files() {
    let compiled = compiled().expect("the files compile");
    if std::env::var_os("WRITE").is_some() {
        std::fs::write(ENCODED, &compiled).expect("the package can be written to");
    }
    let kept = std::fs::read(ENCODED).expect("they are part of the package");
    assert!(
        kept == compiled,
        "{ENCODED} is not what the .proto files say: \
         WRITE=1 cargo test -p showcase --test descriptors"
    );
}
