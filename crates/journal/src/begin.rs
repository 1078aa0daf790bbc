//! The beginning of a segment, in a spare file or a new one.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering::Relaxed;

use crate::active::Active;
use crate::files::{AppendFile, write_all};
use crate::format::{HEADER_LEN, Header, Salt, segment_name};
use crate::spare::Spare;
use crate::writer::{Failure, Writer};

impl Writer {
    /// Begins a new segment, durably, over a spare file if there is one. On failure none is active, and nothing of it counts.
    pub(crate) fn begin_segment(&mut self) -> Result<(), Failure> {
        let spare = self.shared.ledger.lock().spares.take_for_use();
        if let Some(spare) = spare {
            match self.begin_segment_over(spare) {
                Ok(()) => return Ok(()),
                Err(source) => self.give_up_spare(spare, &source),
            }
        }
        match self.begin_segment_in_new_file() {
            Err(failure) if failure.is_for_want_of_space() && self.shared.give_all() => {
                self.begin_segment_in_new_file()
            }
            outcome => outcome,
        }
    }

    /// Begins a new segment in a spare file.
    ///
    /// The header is written in place and tells what the file is from then on; the name follows without being synced. Making it
    /// durable would wait for all that the file system has to write, and a header is one sync of one block.
    fn begin_segment_over(&mut self, spare: Spare) -> io::Result<()> {
        let number = self.take_number();
        // Records of this number's segment in the file would be taken for the new one's.
        debug_assert!(number > spare.number);
        let files = self.shared.files.clone();
        let path = self.shared.spare_path(spare.number);
        let mut file = files.reuse(&path)?;
        self.write_header(number, &mut *file)?;
        files.rename(&path, &self.shared.segment_path(number))?;
        self.shared.counters.reused_files.fetch_add(1, Relaxed);
        self.activate(number, file, Some(spare));
        Ok(())
    }

    fn give_up_spare(&self, spare: Spare, error: &io::Error) {
        let path = self.shared.spare_path(spare.number);
        tracing::warn!(path = %path.display(), %error, "cannot use a spare file of the journal again");
        self.shared.remove_spare(&spare);
        if error.kind() == io::ErrorKind::Unsupported {
            self.shared.ledger.lock().spares.use_no_more();
        }
    }

    pub(crate) fn begin_segment_in_new_file(&mut self) -> Result<(), Failure> {
        let number = self.take_number();
        let files = self.shared.files.clone();
        let path = self.shared.segment_path(number);
        let fail = |action| {
            let name = segment_name(number);
            move |source| Failure {
                action,
                name,
                source,
            }
        };
        let mut file = files.create(&path).map_err(fail("create"))?;
        let durable = self
            .write_header(number, &mut *file)
            .and_then(|()| files.sync_dir(&self.shared.config.dir));
        if let Err(source) = durable {
            // If this fails too, an empty segment stays, which recovery passes over.
            let _ = files.remove(&path);
            return Err(fail("begin")(source));
        }
        self.activate(number, file, None);
        Ok(())
    }

    /// A number is used once, so that a file that could not be removed is not in the way.
    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn write_header(&self, number: u64, file: &mut dyn AppendFile) -> io::Result<()> {
        let header = Header {
            journal: self.shared.id,
            segment: number,
            previous: self.previous,
        };
        write_all(file, &mut [IoSlice::new(&header.encode())])?;
        file.sync_data()
    }

    /// Makes the segment that was begun in a new file, or in the one that was spare, the one that is written.
    fn activate(&mut self, number: u64, file: Box<dyn AppendFile>, over: Option<Spare>) {
        self.shared.ledger.lock().begin(number, over);
        self.active = Some(Active {
            number,
            file,
            salt: Salt::new(self.shared.id, number),
            end: HEADER_LEN,
        });
    }
}
