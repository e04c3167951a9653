//! The shop window: what is sold, kept up with the folder while it is edited.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::{amount::Currency, time::Timestamp};

use super::{Catalogue, Entry, read, stamp};
use crate::{
    act::Failure,
    goods::Shelf,
    view::{CatalogueView, ItemRow, Moment, Money},
};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

type Stamp = Vec<Option<(u64, std::time::SystemTime)>>;

/// What is sold now, and from where.
#[derive(Debug)]
pub(crate) struct Window {
    currency: Currency,
    shelf: Arc<Shelf>,
    sold: watch::Sender<Arc<Catalogue>>,
    view: RwLock<Arc<CatalogueView>>,
    /// Held while a folder is taken over.
    loading: tokio::sync::Mutex<Loaded>,
}

/// The state of the folder that was last looked at in full.
#[derive(Debug)]
struct Loaded {
    folder: PathBuf,
    entries: Vec<Entry>,
    stamp: Stamp,
}

impl Window {
    pub(crate) fn new(folder: PathBuf, currency: Currency, shelf: Arc<Shelf>) -> Arc<Self> {
        let view =
            CatalogueView { folder: folder.clone(), items: Vec::new(), faults: Vec::new(), loaded: None };
        Arc::new(Self {
            currency,
            shelf,
            sold: watch::Sender::new(Arc::default()),
            view: RwLock::new(Arc::new(view)),
            loading: tokio::sync::Mutex::new(Loaded { folder, entries: Vec::new(), stamp: Vec::new() }),
        })
    }

    /// What is sold, as it changes.
    pub(crate) fn sold(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.sold.subscribe()
    }

    /// What people see of it.
    pub(crate) fn view(&self) -> Arc<CatalogueView> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the folder over as it is now. A bad one changes nothing of what is sold and says why.
    pub(crate) async fn load(&self) -> Result<(), Failure> {
        let mut loaded = self.loading.lock().await;
        self.load_folder(&mut loaded).await
    }

    /// Looks at another folder from now on, whatever is in it.
    pub(crate) async fn turn_to(&self, folder: PathBuf) {
        let mut loaded = self.loading.lock().await;
        let mut view = CatalogueView::clone(&self.view());
        view.folder.clone_from(&folder);
        *loaded = Loaded { folder, entries: Vec::new(), stamp: Vec::new() };
        self.show(view);
    }

    /// Sells from another folder from now on.
    ///
    /// # Errors
    /// Names what is wrong with it; then nothing changes.
    pub(crate) async fn choose(&self, folder: PathBuf) -> Result<(), Failure> {
        let mut loaded = self.loading.lock().await;
        let faults = self.take_over(&folder, &mut loaded).await?;
        if faults.is_empty() { Ok(()) } else { Err(Failure::not_possible(faults.join("\n"))) }
    }

    /// Looks at the folder every second until `stop`, and calls `changed` when what people see has changed. A state is
    /// taken over when it stood still from one look to the next, so that a file is not sold while it is being written.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken, changed: impl Fn()) {
        let mut seen: Option<Stamp> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
            let mut loaded = self.loading.lock().await;
            let (folder, entries) = (loaded.folder.clone(), loaded.entries.clone());
            let Ok(now) = tokio::task::spawn_blocking(move || stamp(&folder, &entries)).await else { return };
            // A folder with faults may be mended by a file that it names and that was not there.
            let stale = now != loaded.stamp || !self.view().faults.is_empty();
            let still = seen.as_ref() == Some(&now);
            seen = Some(now);
            if !stale || !still {
                continue;
            }
            let before = self.view();
            if let Err(failure) = self.load_folder(&mut loaded).await {
                tracing::error!("the catalogue could not be looked at: {failure}");
            }
            if *self.view() != *before {
                changed();
            }
        }
    }

    async fn load_folder(&self, loaded: &mut Loaded) -> Result<(), Failure> {
        let folder = loaded.folder.clone();
        let faults = self.take_over(&folder, loaded).await?;
        if !faults.is_empty() && self.view().faults != faults {
            tracing::warn!(
                "the catalogue has faults, what was sold before is sold on: {}",
                faults.join("; ")
            );
            let mut view = CatalogueView::clone(&self.view());
            view.faults = faults;
            self.show(view);
        }
        Ok(())
    }

    /// Reads a folder and, if nothing is wrong with it, sells from it; else the faults.
    async fn take_over(&self, folder: &Path, loaded: &mut Loaded) -> Result<Vec<String>, Failure> {
        let (path, currency, shelf) = (folder.to_owned(), self.currency, self.shelf.clone());
        let known = if loaded.folder == folder { loaded.entries.clone() } else { Vec::new() };
        let done = tokio::task::spawn_blocking(move || {
            // The stamp is taken before reading: what changes meanwhile differs from it at the next look.
            let before = stamp(&path, &known);
            let entries = read(&path, currency).map_err(|faults| (faults, before.clone()))?;
            let now = stamp(&path, &entries);
            let catalogue = Catalogue::publish(entries.clone(), &shelf).map_err(|faults| (faults, before))?;
            Ok::<_, (Vec<super::Fault>, Stamp)>((catalogue, entries, now))
        });
        match done.await.map_err(|_| Failure::machine("the catalogue could not be read"))? {
            Ok((catalogue, entries, stamp)) => {
                let rows = catalogue.items().map(|item| row(item, self.currency)).collect();
                let before = self.view();
                let same = before.items == rows && before.folder == folder && before.faults.is_empty();
                let at =
                    before.loaded.clone().filter(|_| same).unwrap_or_else(|| Moment::from(Timestamp::now()));
                *loaded = Loaded { folder: folder.to_owned(), entries, stamp };
                self.sold.send_replace(Arc::new(catalogue));
                self.show(CatalogueView {
                    folder: folder.to_owned(),
                    items: rows,
                    faults: Vec::new(),
                    loaded: Some(at),
                });
                Ok(Vec::new())
            }
            Err((faults, stamp)) => {
                if loaded.folder == folder {
                    loaded.stamp = stamp;
                }
                Ok(faults.iter().map(ToString::to_string).collect())
            }
        }
    }

    fn show(&self, view: CatalogueView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }
}

fn row(item: &wire::shop::Item, currency: Currency) -> ItemRow {
    ItemRow {
        id: item.id.clone(),
        title: item.title.clone(),
        price: Money::new(item.price, currency),
        file_name: item.file_name.clone(),
        size: item.size,
        tags: item.tags.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_bad_edit_is_told_and_sells_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(super::super::FILE);
        let good = "[[item]]\nid = \"a\"\ntitle = \"A\"\nprice = 5\nfile = \"a.txt\"\n";
        fs::write(folder.path().join("a.txt"), "a").unwrap();
        fs::write(&list, good).unwrap();
        let shelf = Arc::new(Shelf::open(&folder.path().join("goods")).unwrap());
        let window = Window::new(folder.path().to_owned(), Currency::YEN, shelf);
        let sold = window.sold();
        window.load().await.unwrap();
        assert_eq!(sold.borrow().item("a").unwrap().price.minor(), 5);

        let stop = CancellationToken::new();
        let (rang, mut rung) = tokio::sync::mpsc::channel(10);
        let following = tokio::spawn(window.clone().follow(stop.clone(), move || {
            let _ = rang.try_send(());
        }));
        fs::write(&list, good.replace('5', "0")).unwrap();
        rung.recv().await.unwrap();
        assert!(window.view().faults[0].contains("item “a”: the price is 0"), "{:?}", window.view().faults);
        assert_eq!(sold.borrow().item("a").unwrap().price.minor(), 5, "the last good state is sold on");

        fs::write(&list, good.replace('5', "77")).unwrap();
        rung.recv().await.unwrap();
        assert!(window.view().faults.is_empty());
        assert_eq!(sold.borrow().item("a").unwrap().price.minor(), 77);

        let elsewhere = window.choose(folder.path().join("nowhere")).await.unwrap_err();
        assert!(elsewhere.message.contains("cannot be read"));
        assert_eq!(window.view().folder, folder.path());
        stop.cancel();
        following.await.unwrap();
    }
}
