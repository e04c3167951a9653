//! `demo`: what `scripts/demo` needs beyond a shell: setting a network up, and checking the whole main job.

use std::{fs, path::PathBuf};

use clap::{Parser, Subcommand};
use color_eyre::eyre::{Context as _, Result};
use inkan_tests::{journey, network::Network};

/// Sets up a demonstration, or checks the whole main job.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Sets up a center, two stores and two members with funded cards, all stopped.
    Prepare {
        /// Where.
        root: PathBuf,
        /// The folder with one catalogue a store.
        #[arg(long)]
        goods: PathBuf,
    },
    /// Does the whole main job against the real programs, one line a step.
    Check {
        /// The folder with one catalogue a store.
        #[arg(long, default_value = "scripts/goods")]
        goods: PathBuf,
    },
}

fn main() -> Result<()> {
    color_eyre::install()?;
    match Options::parse().act {
        Act::Prepare { root, goods } => prepare(&root, &goods),
        Act::Check { goods } => {
            let directory = tempfile::Builder::new().prefix("inkan-check-").tempdir()?;
            let report = journey::whole(directory.path(), &goods);
            println!("{} passed, {} failed", report.passed, report.failed);
            if report.failed > 0 {
                // The files tell what happened; a failed check keeps them.
                println!("The network's files are in {}", directory.keep().display());
                std::process::exit(1);
            }
            Ok(())
        }
    }
}

fn prepare(root: &std::path::Path, goods: &std::path::Path) -> Result<()> {
    fs::create_dir_all(root)?;
    let mut network = Network::found(root)?;
    network.start_center()?;
    for (name, folder, trade_name) in
        [("sakura", "sakura-press", "Sakura Press"), ("ume", "ume-tools", "梅ツール Ume Tools")]
    {
        let catalogue = root.join("catalogues").join(name);
        journey::copy_folder(&goods.join(folder), &catalogue)?;
        network.join_store(name, trade_name)?;
    }
    for name in ["hanako", "taro"] {
        network.join_member(name)?;
        network.fund(name, 20_000)?;
    }
    network.stop_center()?;
    fs::write(root.join("ready"), &network.invitation).wrap_err("marking the demonstration as ready")?;
    Ok(())
}
