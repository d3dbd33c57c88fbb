/* A disk whose power can be pulled, for LD_PRELOAD: of each write to a watched file the bytes before it are kept until the
 * file is synced. After a kill, putting them back (plug.py) leaves what had been synced, and nothing that had only been written.
 * Watched are Redis's append-only files and PostgreSQL's write-ahead log. PLUG_FOLDER holds one journal a file, by inode. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct record { uint64_t offset, length, size_before; };

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void find_the_real_ones(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

/* Open and lock the journal of a watched file; -1 where it is not watched. */
static int journal_of(int fd) {
    char link[64], path[4096], name[4200];
    struct stat found;
    const char *folder = getenv("PLUG_FOLDER");
    if (folder == NULL || fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return -1;
    path[length] = 0;
    if (strstr(path, "appendonly") == NULL && strstr(path, "pg_wal") == NULL) return -1;
    snprintf(name, sizeof name, "%s/%llu", folder, (unsigned long long)found.st_ino);
    int journal = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (journal >= 0) flock(journal, LOCK_EX);
    return journal;
}

static void keep(int journal, int fd, off_t offset, size_t length) {
    char bytes[65536];
    struct stat found;
    fstat(fd, &found);
    uint64_t there = offset < found.st_size ? (uint64_t)(found.st_size - offset) : 0;
    struct record record = {(uint64_t)offset, there < length ? there : length, (uint64_t)found.st_size};
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int readable = open(link, O_RDONLY | O_CLOEXEC); /* the file itself may be open for writing only */
    lseek(journal, 0, SEEK_END);
    real_write(journal, &record, sizeof record);
    for (uint64_t done = 0; done < record.length;) {
        size_t part = record.length - done < sizeof bytes ? record.length - done : sizeof bytes;
        ssize_t got = pread(readable, bytes, part, offset + (off_t)done);
        if (got <= 0) abort();
        real_write(journal, bytes, (size_t)got);
        done += (uint64_t)got;
    }
    close(readable);
}

static off_t place_of(int fd) {
    struct stat found;
    if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &found) == 0 ? found.st_size : 0;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    int journal = journal_of(fd);
    if (journal < 0) return real_write(fd, bytes, length);
    keep(journal, fd, place_of(fd), length);
    ssize_t written = real_write(fd, bytes, length);
    close(journal);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    int journal = journal_of(fd);
    if (journal < 0) return real_pwrite(fd, bytes, length, offset);
    keep(journal, fd, offset, length);
    ssize_t written = real_pwrite(fd, bytes, length, offset);
    close(journal);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return pwrite(fd, bytes, length, offset); }

static int synced(int fd, int (*sync)(int)) {
    int journal = journal_of(fd);
    int status = sync(fd);
    if (journal >= 0) {
        if (status == 0 && ftruncate(journal, 0) != 0) abort();
        close(journal);
    }
    return status;
}

int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }
