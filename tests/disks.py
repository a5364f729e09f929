"""Small disks in memory, for tests of what happens when one is full or read-only."""

import subprocess

import pytest


def mount(folder, options):
    """Mount a disk in memory, which takes a superuser, or skip the test."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"cannot mount a small disk: {error}")
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")


def unmount(folder):
    """Let go of a disk, even if something on it is still open."""
    subprocess.run(["umount", "--lazy", folder], check=True)
