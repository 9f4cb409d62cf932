//! The report on a mail that could not be delivered (RFC 3464), put into a Maildir as mail servers do: written under `tmp/`, then
//! moved to `new/`.

use super::KeptMail;
use std::io;
use std::path::Path;

pub(super) async fn report(maildir: &Path, mail: &KeptMail, status: &str) -> io::Result<()> {
    for part in ["tmp", "new", "cur"] {
        tokio::fs::create_dir_all(maildir.join(part)).await?;
    }
    let content = String::from_utf8_lossy(&mail.bytes);
    let headers = content.split("\r\n\r\n").next().unwrap_or_default();
    let to = mail.to.join(", ");
    let date = mail.at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let text = format!(
        "Return-Path: <>\nDate: {date}\nFrom: MAILER-DAEMON@sandbox.zhida.invalid\nTo: {from}\n\
         Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"sandbox\"\n\n\
         --sandbox\nContent-Type: text/plain; charset=utf-8\n\n邮件无法投递。 The mail could not be delivered.\n\n\
         --sandbox\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; sandbox.zhida.invalid\n\n\
         Final-Recipient: rfc822; {to}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; 550 {status} refused by script\n\n\
         --sandbox\nContent-Type: text/rfc822-headers\n\n{headers}\n\n--sandbox--\n",
        from = mail.from,
        headers = headers.replace("\r\n", "\n"),
    );
    let name = format!("{}.{}.sandbox", mail.at.as_microsecond(), mail.id);
    tokio::fs::write(maildir.join("tmp").join(&name), text).await?;
    tokio::fs::rename(maildir.join("tmp").join(&name), maildir.join("new").join(&name)).await
}
