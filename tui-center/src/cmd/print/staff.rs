//! Operators, proposals, limits and the key sheet in words.

use std::io::{self, Write};

use tui_kit::{
    cli::{Out, Table, facts},
    text::{
        Align::{Left, Right},
        clean, clean_lines,
    },
};

use crate::{
    acts::{FourEyes, StaffOutcome},
    operators::role_name,
};

pub(super) fn words(out: Out, outcome: &StaffOutcome, to: &mut dyn Write) -> io::Result<()> {
    match outcome {
        StaffOutcome::Operators { operators, four_eyes } => {
            let heads = &[("NAME", Left), ("ROLE", Left), ("CAN SIGN IN", Left), ("SSH KEY", Left)];
            let mut table = Table::new(heads, "there are no operators");
            for row in operators {
                let can = if row.can_sign_in { "yes" } else { "no" };
                table.row([row.name.clone(), role_name(row.role).into(), can.into(), row.ssh_key.clone()]);
            }
            table.write(out, to)?;
            two(four_eyes, to)
        }
        StaffOutcome::Proposals { proposals, four_eyes } => {
            let heads = &[("NUMBER", Left), ("BY", Left), ("TAKES A", Left), ("UNTIL", Left), ("WHAT", Left)];
            let mut table = Table::new(heads, "nothing waits for a second operator");
            for row in proposals {
                table.row([
                    row.number.to_string(),
                    row.by.clone(),
                    role_name(row.role).into(),
                    row.until.text.clone(),
                    clean(&row.words).into_owned(),
                ]);
            }
            table.write(out, to)?;
            two(four_eyes, to)
        }
        StaffOutcome::Proposal { proposal, document } => {
            facts(
                to,
                [
                    ("Proposal", proposal.number.to_string()),
                    ("By", proposal.by.clone()),
                    ("What", clean(&proposal.words).into_owned()),
                    ("Takes at least a", role_name(proposal.role).to_owned()),
                    ("Lapses", proposal.until.text.clone()),
                ],
            )?;
            match document {
                Some(it) => {
                    writeln!(
                        to,
                        "\nThe {} in version {}:\n\n{}",
                        it.document,
                        it.version,
                        clean_lines(&it.text)
                    )
                }
                None => Ok(()),
            }
        }
        StaffOutcome::Limits { refund_alone, receipt_alone, four_eyes } => {
            facts(
                to,
                [
                    ("Refunds alone up to", refund_alone.text.clone()),
                    ("Receipts alone up to", receipt_alone.text.clone()),
                ],
            )?;
            two(four_eyes, to)
        }
        StaffOutcome::KeySheet { number, root, keys } => {
            writeln!(to, "key sheet {number}, signed with the root key {root}")?;
            let heads = &[("ROLE", Left), ("KEY", Left), ("FROM ENTRIES", Right), ("UP TO", Right)];
            let mut table = Table::new(heads, "the sheet names no keys");
            for row in keys {
                let until = row.until_size.map_or_else(|| "in force".to_owned(), |until| until.to_string());
                table.row([row.role.clone(), row.fingerprint.clone(), row.from_size.to_string(), until]);
            }
            table.write(out, to)
        }
    }
}

/// Where two operators are needed, and where it is off because there is one only.
pub(in crate::cmd) fn two(four_eyes: &[FourEyes], to: &mut dyn Write) -> io::Result<()> {
    for it in four_eyes {
        let role = role_name(it.role);
        if it.on {
            writeln!(to, "four eyes: on for {} ({} operators are {role} or more)", it.acts, it.operators)?;
        } else {
            writeln!(
                to,
                "four eyes: OFF for {}, there are not two operators who are {role} or more",
                it.acts
            )?;
        }
    }
    Ok(())
}
