//! The tables of who is served by which instance of T3 Code: a user who is cut is in none, from the moment on at which
//! the gateway reads them again, and not only after the next apply.

use super::record::CutRecordFile;
use super::step_runner::StepResult;
use crate::roster::maps;
use crate::sys::FileError;
use crate::sys::fs::{Existing, trusted_path};
use serde_json::{Map, Value};
use std::path::Path;

/// Who is served.
const DISPATCH: &str = "etc/t3-serve/dispatch.json";
/// Who is no longer served, and why.
const CLOSED: &str = "etc/t3-serve/closed.json";
/// Maximum size of a table, in bytes.
const MAX_TABLE: u64 = 8 << 20;
const MODE: u32 = 0o644;

/// Takes the user out of the table of instances, and into that of people who are not served.
pub(super) fn leave(file: &mut CutRecordFile, root: &Path) -> StepResult {
    let Some(mut served) = read(&root.join(DISPATCH))? else { return Ok(Vec::new()) };
    let user = file.record.user.clone();
    let is_theirs = |entry: &Value| entry.get("os_user").and_then(Value::as_str) == Some(&user);
    let theirs = served.iter().filter(|(_, entry)| is_theirs(entry));
    let theirs: Vec<(String, Value)> =
        theirs.map(|(identity, entry)| (identity.clone(), entry.clone())).collect();
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    file.record.served.extend(theirs.iter().cloned());
    file.save()?;
    let mut closed = read(&root.join(CLOSED))?.unwrap_or_default();
    closed.extend(theirs.iter().map(|(identity, _)| (identity.clone(), Value::from("cut"))));
    closed.sort_keys();
    write(&root.join(CLOSED), &closed)?;
    served.retain(|_, entry| !is_theirs(entry));
    write(&root.join(DISPATCH), &served)?;
    Ok(vec!["no longer served by the gateway".to_owned()])
}

/// Puts the user back into the table of instances.
pub(super) fn come_back(file: &CutRecordFile, root: &Path) -> StepResult {
    let theirs = &file.record.served;
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    let mut served = read(&root.join(DISPATCH))?.unwrap_or_default();
    for (identity, entry) in theirs {
        // Whom it names by now, it names.
        served.entry(identity.clone()).or_insert_with(|| entry.clone());
    }
    let mut rows: Vec<(String, Value)> = served.into_iter().collect();
    rows.sort_by_key(|(_, entry)| {
        let port = entry.get("port").and_then(Value::as_u64).unwrap_or(u64::MAX);
        (port, entry.get("os_user").and_then(Value::as_str).unwrap_or_default().to_owned())
    });
    write(&root.join(DISPATCH), &rows.into_iter().collect())?;
    if let Some(mut closed) = read(&root.join(CLOSED))? {
        closed.retain(|identity, _| !theirs.contains_key(identity));
        write(&root.join(CLOSED), &closed)?;
    }
    Ok(vec!["served by the gateway again".to_owned()])
}

/// `None` if there is no such table.
fn read(path: &Path) -> Result<Option<Map<String, Value>>, FileError> {
    let bytes = match trusted_path::read_as_caller(path, MAX_TABLE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let table = serde_json::from_slice(&bytes);
    table.map(Some).map_err(|error| FileError::refused("reading", path, error.to_string()))
}

/// Writes a table as it is generated, so that the next plan takes it for its own.
fn write(path: &Path, table: &Map<String, Value>) -> Result<(), FileError> {
    let (dir, name) = match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(dir), Some(name)) => (trusted_path::ensure_dir(dir)?, name),
        _ => return Err(FileError::refused("writing", path, "no file")),
    };
    dir.write_as(name, maps::dispatch_text(table).as_bytes(), Existing::Replaced, MODE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offboard::CutTarget;
    use crate::offboard::record::CutRecord;
    use crate::sys::Dir;

    const SERVED: &str = "{\n  \"a@x\": {\"os_user\":\"ann\",\"port\":3773},\n  \"b@x\": {\"os_user\":\"bob\",\"port\":3774}\n}\n";

    #[test]
    fn a_user_who_is_cut_is_in_no_table_and_comes_back_as_before() {
        let root = tempfile::tempdir().unwrap();
        let dispatch = root.path().join(DISPATCH);
        let state = Dir::open(root.path()).unwrap();
        let target = CutTarget::new("ann", None, "left".to_owned(), None);
        let record = CutRecord::new(&target, (1001, "/home/ann".to_owned()), Vec::new());
        let mut file = CutRecordFile::new(&state, record).unwrap();
        assert!(leave(&mut file, root.path()).unwrap().is_empty(), "no table");
        std::fs::create_dir_all(dispatch.parent().unwrap()).unwrap();
        std::fs::write(&dispatch, SERVED).unwrap();
        for _ in 0..2 {
            leave(&mut file, root.path()).unwrap();
            let left = std::fs::read_to_string(&dispatch).unwrap();
            assert_eq!(left, "{\n  \"b@x\": {\"os_user\":\"bob\",\"port\":3774}\n}\n");
            let closed = std::fs::read_to_string(root.path().join(CLOSED)).unwrap();
            assert_eq!(closed, "{\n  \"a@x\": \"cut\"\n}\n");
        }
        for _ in 0..2 {
            come_back(&file, root.path()).unwrap();
            assert_eq!(std::fs::read_to_string(&dispatch).unwrap(), SERVED);
            assert_eq!(std::fs::read_to_string(root.path().join(CLOSED)).unwrap(), "{}\n");
        }
    }
}
