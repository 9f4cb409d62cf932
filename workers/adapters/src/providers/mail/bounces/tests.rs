//! The mailbox folder: what is handed out, put away, and left alone.
#![allow(clippy::unwrap_used)] // tests

use super::MailboxFolder;
use std::fs;
use std::path::{Path, PathBuf};
use zhida_core::ports::mail::BounceReader;

/// A Maildir of its own, removed when dropped.
struct Maildir(PathBuf);

impl Maildir {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("zhida-bounces-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(directory.join(part)).unwrap();
        }
        Self(directory)
    }

    fn put(&self, at: &str, mail: &str) {
        fs::write(self.0.join(at), mail).unwrap();
    }

    fn names(&self, part: &str) -> Vec<String> {
        let names =
            fs::read_dir(self.0.join(part)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn reader(&self) -> MailboxFolder {
        MailboxFolder::new(Path::new(&self.0), "直达 <notice@district.example>")
    }
}

impl Drop for Maildir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bounce(id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx\r\nContent-Type: multipart/report; boundary=B\r\nMIME-Version: 1.0\r\n\r\n--B\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--B\r\n\
         Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{id}@district.example>\r\n\r\n--B--\r\n"
    )
}

async fn read(reader: &MailboxFolder, max: usize) -> Vec<(String, String)> {
    let found = reader.read(max).await.unwrap();
    found.into_iter().map(|(name, receipt)| (name, receipt.out_id)).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, out_id)| ((*name).to_owned(), (*out_id).to_owned())).collect()
}

#[tokio::test]
async fn a_bounce_is_handed_out_until_it_was_booked() {
    let maildir = Maildir::new("until");
    maildir.put("new/1.a", &bounce("n1"));
    maildir.put("cur/2.b:2,", &bounce("n2"));
    maildir.put("cur/3.c:2,FT", &bounce("n3"));
    maildir.put("cur/0.seen:2,S", &bounce("n0"));
    maildir.put("new/.hidden", &bounce("n4"));
    let reader = maildir.reader();
    let all = pairs(&[("1.a", "n1-m1"), ("2.b", "n2-m1"), ("3.c", "n3-m1")]);
    assert_eq!(read(&reader, 10).await, all);
    assert_eq!(read(&reader, 2).await, all[..2], "no more than asked for");
    assert_eq!(read(&reader, 10).await, all, "not booked: handed out again");
    // Another program opens the mailbox in between and moves what was new.
    fs::rename(maildir.0.join("new/1.a"), maildir.0.join("cur/1.a:2,")).unwrap();
    reader.done(&["1.a".to_owned(), "3.c".to_owned(), "9.gone".to_owned()]).await.unwrap();
    assert_eq!(read(&reader, 10).await, all[1..2]);
    assert_eq!(maildir.names("cur"), ["0.seen:2,S", "1.a:2,S", "2.b:2,", "3.c:2,FST"]);
    reader.done(&["1.a".to_owned()]).await.unwrap();
    assert_eq!(maildir.names("new"), [".hidden"], "nothing is deleted");
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone_and_read_once() {
    let maildir = Maildir::new("foreign");
    maildir.put("new/1.person", "From: a@b\r\nSubject: thanks\r\n\r\n谢谢\r\n");
    maildir.put("new/2.garbage", "\u{0}");
    let reader = maildir.reader();
    assert!(read(&reader, 10).await.is_empty());
    assert_eq!(maildir.names("new"), ["1.person", "2.garbage"], "unseen, for people");
    // Were it read again, the mail that now lies under its name would be found.
    maildir.put("new/1.person", &bounce("n1"));
    assert!(read(&reader, 10).await.is_empty());
    assert_eq!(read(&maildir.reader(), 10).await, pairs(&[("1.person", "n1-m1")]), "a new process looks again");
    // A name that is gone is forgotten.
    fs::remove_file(maildir.0.join("new/1.person")).unwrap();
    assert!(read(&reader, 10).await.is_empty());
    maildir.put("new/1.person", &bounce("n1"));
    assert_eq!(read(&reader, 10).await.len(), 1);
}

#[tokio::test]
async fn a_folder_that_is_none_is_named() {
    let reader = MailboxFolder::new("/nowhere/at/all", "notice@district.example");
    let complaint = reader.read(1).await.unwrap_err();
    assert!(complaint.contains("/nowhere/at/all/new"), "{complaint}");
    assert!(complaint.contains("notices.mail.bounces_dir"), "{complaint}");
}
