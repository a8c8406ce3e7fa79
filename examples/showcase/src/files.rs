//! A directory of files, as a web server has it: ranges, conditions, types.

use barewire::app::App;

/// Serves the files of `directory`, or those that lie beside this program's
/// source, below `/static`.
#[cfg(unix)]
pub fn routes(app: App, directory: Option<&str>) -> App {
    use barewire::app::Files;

    const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/static");
    let directory = match directory {
        Some(directory) => directory,
        None if std::path::Path::new(OWN).is_dir() => OWN,
        // The program was taken elsewhere, and its files were not.
        None => return app,
    };
    let files = Files::new(directory)
        .precompressed()
        .cache_control("no-cache") // keep it, and ask whether it has changed
        .header("X-Content-Type-Options", "nosniff");
    app.files("/static", files)
}

/// Serves none: only Unix has them.
#[cfg(not(unix))]
pub fn routes(app: App, _directory: Option<&str>) -> App {
    app
}
