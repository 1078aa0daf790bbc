//! The real file system's half of the promises.

use std::io::IoSlice;

use journal::{Files, PADDING, SystemFiles};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<usize>),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    // Around the block size, around the buffer's size, and in between.
    let length = prop_oneof![
        4 => 0..50usize,
        2 => 4000..4200usize,
        2 => 1..100_000usize,
        1 => 1_000_000..2_200_000usize,
    ];
    prop_oneof![
        3 => vec(length, 1..6).prop_map(Step::Write),
        2 => Just(Step::Sync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_file_holds_what_was_appended_and_padding(before in 0..100_000usize, steps in vec(step(), 0..12)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let before = vec![7; before];
        let mut file = if before.is_empty() {
            SystemFiles.create(&path).unwrap()
        } else {
            std::fs::write(&path, &before).unwrap();
            match SystemFiles.reuse(&path) {
                // Where files cannot be written directly, none is written over.
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => return Ok(()),
                reused => reused.unwrap(),
            }
        };
        let mut expected: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Write(lengths) => for length in lengths {
                    let from = expected.len();
                    expected.extend((from..from + length).map(|at| (at * 31 / 7) as u8));
                    let mut rest = &expected[from..];
                    while !rest.is_empty() {
                        let (one, two) = rest.split_at(rest.len() / 3);
                        let parts = [IoSlice::new(one), IoSlice::new(two)];
                        rest = &rest[file.write_vectored(&parts).unwrap()..];
                    }
                }
                Step::Sync => {
                    file.sync_data().unwrap();
                    let found = std::fs::read(&path).unwrap();
                    prop_assert!(found.starts_with(&expected));
                    let end = match expected.len() {
                        0 => 0,
                        written => (written + 1).next_multiple_of(4096),
                    };
                    let padding = &found[expected.len()..end.min(found.len())];
                    prop_assert!(padding.iter().all(|&byte| byte == PADDING));
                    prop_assert!(found.len() == end.max(before.len()) || before.is_empty());
                    prop_assert!(found.iter().skip(end).all(|&byte| byte == 7));
                }
            }
        }
    }
}

#[test]
fn files_are_created_once_listed_renamed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let mut file = SystemFiles.create(&one).unwrap();
    file.write_vectored(&[IoSlice::new(b"abc")]).unwrap();
    file.sync_data().unwrap();
    let again = SystemFiles.create(&one).err().unwrap();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    SystemFiles.rename(&one, &two).unwrap();
    SystemFiles.create_dir(&dir.path().join("three")).unwrap();
    SystemFiles.sync_dir(dir.path()).unwrap();
    let listed = SystemFiles.list(dir.path()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "two");
    let mut opened = SystemFiles.open(&two).unwrap();
    assert_eq!(opened.bytes().unwrap(), listed[0].bytes);
    let mut bytes = [0; 2];
    assert_eq!(opened.read_at(1, &mut bytes).unwrap(), 2);
    assert_eq!(&bytes, b"bc");
    SystemFiles.remove(&two).unwrap();
    assert!(SystemFiles.available(dir.path()).unwrap() > 0);
    assert_ne!(SystemFiles.fresh_id(), SystemFiles.fresh_id());
}
