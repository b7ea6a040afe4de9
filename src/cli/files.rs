//! Files that the command writes: whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use portcullis::digest::hex;

use super::private_key::random;

/// Puts `text` in the place of `file` in one step, so that nobody reads half of it. What it may be read by stays, and a link goes on leading
/// to what it leads to.
pub(super) fn replace(file: &Path, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", file.display());
    let real = fs::canonicalize(file).map_err(told)?;
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", token::<4>()?));
    let beside = real.with_file_name(name);
    // A new file in its place needs no leave of the old one's: whoever made that read-only is asked here.
    if fs::metadata(&real).map_err(told)?.permissions().readonly() {
        return Err(format!("{}: it is read-only", file.display()));
    }
    let written = File::create_new(&beside).and_then(|mut open| {
        open.set_permissions(fs::metadata(&real)?.permissions())?;
        open.write_all(text.as_bytes())?;
        open.sync_all()?;
        fs::rename(&beside, &real)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        told(error)
    })
}

/// Waits until no other `portcullis` edits a file in the same folder, and keeps others waiting until what is returned is dropped: two at once
/// would each read the same and write over the other. The folder is what is locked, since the file itself is replaced. Where the system
/// has no such lock, nobody waits.
pub(super) fn turn(file: &Path) -> Option<File> {
    let real = fs::canonicalize(file).ok()?;
    let folder = File::open(real.parent()?).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Writes a new file; one that is there stays. What is secret is for its owner alone.
pub(super) fn create(file: &Path, text: &str, secret: bool) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let _ = secret;
    let written = options.open(file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// A text for another program's eyes alone: a file that nobody else can read and that is gone when this is dropped. Where a program can be
/// given an open file, it has no name from the start: whoever ends the command by Ctrl-C leaves nothing behind.
#[derive(Debug)]
pub(super) struct Handed {
    /// What the program is told to read.
    pub(super) name: String,
    /// What it has to have as its standard input for that.
    pub(super) input: Option<File>,
    folder: Option<PathBuf>,
}

impl Handed {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("portcullis-{}", token::<16>()?));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let file = folder.join("handed.json");
        let name = file.to_string_lossy().into_owned();
        // From here on the folder goes away by itself.
        let mut handed = Self { name, input: None, folder: Some(folder) };
        // It is written when it has no name any more, so that a name never leads to what is secret.
        if cfg!(unix) && Path::new("/dev/stdin").exists() {
            handed.input = Some(nameless(&file, text).map_err(|error| format!("{}: {error}", file.display()))?);
            "/dev/stdin".clone_into(&mut handed.name);
            handed.drop_folder();
        } else {
            create(&file, text, true)?;
        }
        Ok(handed)
    }

    fn drop_folder(&mut self) {
        if let Some(folder) = self.folder.take() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.drop_folder();
    }
}

/// A file with `text` that is open, at its beginning, and has no name.
fn nameless(file: &Path, text: &str) -> std::io::Result<File> {
    let mut open = OpenOptions::new().read(true).write(true).create_new(true).open(file)?;
    fs::remove_file(file)?;
    open.write_all(text.as_bytes())?;
    open.rewind()?;
    Ok(open)
}

/// Random bytes in hexadecimal digits.
pub(super) fn token<const N: usize>() -> Result<String, String> {
    Ok(hex(random::<N>()?.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("portcullis-test-{name}-{}", token::<8>().unwrap()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = folder("replace");
        let file = folder.join("a.json");
        fs::write(&file, "before").unwrap();
        replace(&file, "after").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(replace(&folder.join("absent"), "x").is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_read_only_stays_as_it_is() {
        let folder = folder("read-only");
        let file = folder.join("a.json");
        fs::write(&file, "before").unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        assert!(replace(&file, "after").unwrap_err().ends_with("it is read-only"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay_as_they_are() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("links");
        let (file, link) = (folder.join("a.json"), folder.join("link.json"));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "after").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_text_that_is_handed_on_leaves_nothing_behind() {
        let mut handed = Handed::new("secret").unwrap();
        if let Some(mut input) = handed.input.take() {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut input, &mut text).unwrap();
            assert_eq!((text.as_str(), handed.name.as_str()), ("secret", "/dev/stdin"));
            assert_eq!(handed.folder, None, "it has no name from the start");
        } else {
            let file = PathBuf::from(&handed.name);
            assert_eq!(fs::read_to_string(&file).unwrap(), "secret");
            drop(handed);
            assert!(!file.parent().unwrap().exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn another_program_reads_what_it_is_handed() {
        let handed = Handed::new("secret").unwrap();
        let mut cat = std::process::Command::new("cat");
        cat.arg(&handed.name).stdin(handed.input.as_ref().unwrap().try_clone().unwrap());
        assert_eq!(cat.output().unwrap().stdout, b"secret");
    }
}
