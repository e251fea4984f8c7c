/*
 * Records what a process does to the files below a directory: a library for LD_PRELOAD, for tests only.
 *
 * Environment: PREPAY_RECORD_BELOW is the directory, PREPAY_RECORD_TO the file to append the record to.
 *
 * One event, numbers in the byte order of the machine:
 *
 *   u8 kind   u64 file   u64 place   u32 length of name   u32 length of data   name   data
 *
 *   c  file made            file, name
 *   w  bytes written        file, place, name, data
 *   t  length changed       file, place is the length, name
 *   s  fsync of a file      file, name
 *   d  fdatasync of a file  file, name
 *   D  fsync of a directory name
 *   r  renamed              name, data is the new name
 *   u  removed              name
 *   m  directory made       name
 *   x  directory removed    name
 *
 * A file is its inode number. An event is recorded after the call succeeded, and one call at a time is made, so the
 * order of the record is the order of the effects. A call that would change a file in a way that is not recorded ends
 * the process. Writing through a shared mapping is not seen: SQLite does it to the index of its log (-shm), which it
 * makes anew after a crash.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *below;
static size_t below_length;
static int record = -1;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

__attribute__((constructor)) static void begin(void)
{
    const char *to = getenv("PREPAY_RECORD_TO");
    below = getenv("PREPAY_RECORD_BELOW");
    if (!below || !to)
        return;
    below_length = strlen(below);
    record = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record < 0)
        abort();
}

static int is_below(const char *name)
{
    return record >= 0 && strncmp(name, below, below_length) == 0 &&
           (name[below_length] == '/' || name[below_length] == 0);
}

static void put(const void *bytes, size_t length)
{
    if (length && REAL(write)(record, bytes, length) != (ssize_t)length)
        abort();
}

static void event(char kind, uint64_t file, uint64_t place, const char *name, const void *data, size_t length)
{
    uint32_t lengths[2] = {(uint32_t)strlen(name), (uint32_t)length};
    put(&kind, 1);
    put(&file, 8);
    put(&place, 8);
    put(lengths, 8);
    put(name, lengths[0]);
    put(data, length);
}

/* The name of an open file or directory, and what it is. */
static int name_of(int fd, char name[PATH_MAX], struct stat *stat)
{
    char link[64];
    ssize_t length;
    int kept = errno, found = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, name, PATH_MAX - 1);
    if (record >= 0 && length > 0) {
        name[length] = 0;
        found = is_below(name) && fstat(fd, stat) == 0;
    }
    errno = kept;
    return found;
}

/* The whole name of what a call names. */
static int whole(int directory, const char *given, char name[PATH_MAX])
{
    char link[64];
    ssize_t length;
    int kept = errno;
    if (record < 0)
        return 0;
    if (given[0] == '/') {
        snprintf(name, PATH_MAX, "%s", given);
    } else {
        if (directory == AT_FDCWD)
            snprintf(link, sizeof link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        length = readlink(link, name, PATH_MAX - 1);
        if (length < 0)
            length = 0;
        if (strncmp(given, "./", 2) == 0)
            given += 2;
        snprintf(name + length, PATH_MAX - (size_t)length, "/%s", given);
    }
    errno = kept;
    return is_below(name);
}

#define LOCK pthread_mutex_lock(&turn)
#define UNLOCK pthread_mutex_unlock(&turn)

static int opened(int fd, int flags, int was_there, const char *name)
{
    struct stat stat;
    if (fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
        if (!was_there)
            event('c', stat.st_ino, 0, name, 0, 0);
        else if (flags & O_TRUNC)
            event('t', stat.st_ino, 0, name, 0, 0);
    }
    return fd;
}

#define OPEN_AT(call)                                                     \
    char name[PATH_MAX];                                                  \
    struct stat before;                                                   \
    mode_t mode = 0;                                                      \
    int fd;                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                \
        va_list list;                                                     \
        va_start(list, flags);                                            \
        mode = va_arg(list, mode_t);                                      \
        va_end(list);                                                     \
    }                                                                     \
    LOCK;                                                                 \
    if (whole(directory, path, name)) {                                   \
        int kept = errno, was_there = lstat(name, &before) == 0;          \
        errno = kept;                                                     \
        fd = opened(call, flags, was_there, name);                        \
    } else {                                                              \
        fd = call;                                                        \
    }                                                                     \
    UNLOCK;                                                               \
    return fd;

int openat(int directory, const char *path, int flags, ...)
{
    OPEN_AT(REAL(openat)(directory, path, flags, mode))
}

int openat64(int directory, const char *path, int flags, ...)
{
    OPEN_AT(REAL(openat64)(directory, path, flags, mode))
}

int open(const char *path, int flags, ...)
{
    int directory = AT_FDCWD;
    OPEN_AT(REAL(open)(path, flags, mode))
}

int open64(const char *path, int flags, ...)
{
    int directory = AT_FDCWD;
    OPEN_AT(REAL(open64)(path, flags, mode))
}

static ssize_t wrote(int fd, const void *bytes, ssize_t count, off_t place)
{
    char name[PATH_MAX];
    struct stat stat;
    if (count > 0 && name_of(fd, name, &stat) && S_ISREG(stat.st_mode)) {
        if (place < 0)
            place = lseek(fd, 0, SEEK_CUR) - count;
        event('w', stat.st_ino, (uint64_t)place, name, bytes, (size_t)count);
    }
    return count;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    ssize_t count;
    LOCK;
    count = wrote(fd, bytes, REAL(write)(fd, bytes, length), -1);
    UNLOCK;
    return count;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t place)
{
    ssize_t count;
    LOCK;
    count = wrote(fd, bytes, REAL(pwrite)(fd, bytes, length, place), place);
    UNLOCK;
    return count;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t place)
{
    ssize_t count;
    LOCK;
    count = wrote(fd, bytes, REAL(pwrite64)(fd, bytes, length, place), place);
    UNLOCK;
    return count;
}

static void unrecorded(int fd, const char *call)
{
    char name[PATH_MAX];
    struct stat stat;
    if (name_of(fd, name, &stat)) {
        fprintf(stderr, "recorder: %s on %s is not recorded\n", call, name);
        abort();
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    unrecorded(fd, "writev");
    return REAL(writev)(fd, parts, count);
}

int fallocate(int fd, int mode, off_t place, off_t length)
{
    unrecorded(fd, "fallocate");
    return REAL(fallocate)(fd, mode, place, length);
}

int posix_fallocate(int fd, off_t place, off_t length)
{
    unrecorded(fd, "posix_fallocate");
    return REAL(posix_fallocate)(fd, place, length);
}

ssize_t copy_file_range(int from, off64_t *place, int to, off64_t *at, size_t length, unsigned flags)
{
    unrecorded(to, "copy_file_range");
    return REAL(copy_file_range)(from, place, to, at, length, flags);
}

static int done(int fd, int failed, const char *kind, off_t length)
{
    char name[PATH_MAX];
    struct stat stat;
    if (!failed && name_of(fd, name, &stat))
        event(S_ISDIR(stat.st_mode) ? 'D' : *kind, stat.st_ino, (uint64_t)length, name, 0, 0);
    return failed;
}

#define ON_FILE(kind, length, call) \
    int failed;                     \
    LOCK;                           \
    failed = done(fd, call, kind, length); \
    UNLOCK;                         \
    return failed;

int ftruncate(int fd, off_t length) { ON_FILE("t", length, REAL(ftruncate)(fd, length)) }
int ftruncate64(int fd, off64_t length) { ON_FILE("t", length, REAL(ftruncate64)(fd, length)) }
int fsync(int fd) { ON_FILE("s", 0, REAL(fsync)(fd)) }
int fdatasync(int fd) { ON_FILE("d", 0, REAL(fdatasync)(fd)) }

static int named(int directory, const char *path, int failed, char kind)
{
    char name[PATH_MAX];
    if (!failed && whole(directory, path, name))
        event(kind, 0, 0, name, 0, 0);
    return failed;
}

#define ON_NAME(directory, kind, call)                  \
    int failed;                                         \
    LOCK;                                               \
    failed = named(directory, path, call, kind);        \
    UNLOCK;                                             \
    return failed;

int unlink(const char *path) { ON_NAME(AT_FDCWD, 'u', REAL(unlink)(path)) }
int unlinkat(int directory, const char *path, int flags)
{
    ON_NAME(directory, flags & AT_REMOVEDIR ? 'x' : 'u', REAL(unlinkat)(directory, path, flags))
}
int rmdir(const char *path) { ON_NAME(AT_FDCWD, 'x', REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { ON_NAME(AT_FDCWD, 'm', REAL(mkdir)(path, mode)) }
int mkdirat(int directory, const char *path, mode_t mode)
{
    ON_NAME(directory, 'm', REAL(mkdirat)(directory, path, mode))
}

static int renamed(int from, const char *old, int to, const char *new, int failed)
{
    char a[PATH_MAX], b[PATH_MAX];
    int is_a = whole(from, old, a), is_b = whole(to, new, b);
    if (!failed && is_a != is_b)
        abort();
    if (!failed && is_a)
        event('r', 0, 0, a, b, strlen(b));
    return failed;
}

int rename(const char *old, const char *new)
{
    int failed;
    LOCK;
    failed = renamed(AT_FDCWD, old, AT_FDCWD, new, REAL(rename)(old, new));
    UNLOCK;
    return failed;
}

int renameat(int from, const char *old, int to, const char *new)
{
    int failed;
    LOCK;
    failed = renamed(from, old, to, new, REAL(renameat)(from, old, to, new));
    UNLOCK;
    return failed;
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    int failed;
    LOCK;
    failed = renamed(from, old, to, new, REAL(renameat2)(from, old, to, new, flags));
    UNLOCK;
    return failed;
}
