//! Every point at which a program can die, one after another in one network, and then at random.

use inkan_tests::kills::{CENTER, MEMBER, POST, STORE, World};

/// How many programs die at random moments.
const RANDOM: u32 = 30;

/// Founds a network, lets it be killed, and holds everyone's books against each other.
#[track_caller]
fn survives(members: u32, die: impl FnOnce(&mut World) -> color_eyre::Result<()>) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let survived = World::found(root.path(), members).and_then(|mut world| {
        die(&mut world)?;
        world.reconcile()
    });
    match survived {
        Ok(payments) => println!("{payments} payments stood when everything was over"),
        Err(error) => panic!("{error:#}"),
    }
}

#[test]
fn a_center_may_die_at_every_point_of_its_desk_and_books() {
    survives(1, |world| CENTER[..16].iter().try_for_each(|point| world.center_dies_at(point)));
}

#[test]
fn a_center_may_die_at_every_point_beside_its_books_and_on_its_way_back() {
    survives(1, |world| {
        CENTER[16..].iter().try_for_each(|point| world.center_dies_at(point))?;
        POST.iter().try_for_each(|point| world.post_dies_at(point))
    });
}

#[test]
fn terminals_may_die_at_every_point() {
    survives(1, |world| {
        MEMBER.iter().try_for_each(|point| world.member_dies_at(point))?;
        STORE.iter().try_for_each(|point| world.store_dies_at(point))
    });
}

#[test]
fn windows_that_close_in_the_middle_of_an_act_lose_nothing() {
    survives(1, |world| {
        world.member_window_closes()?;
        world.store_window_closes()?;
        world.center_window_closes()
    });
}

#[test]
fn random_kills_lose_and_double_nothing() {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).expect("the operating system gives randomness");
    let seed = u64::from_le_bytes(seed);
    println!("the moments are drawn from the seed {seed}");
    survives(2, |world| world.random_kills(RANDOM, seed));
}
