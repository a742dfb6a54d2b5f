/* A disk that fails on demand, for processes that preload it: LD_PRELOAD=failing.so.

   Counts the calls that reach files below one folder, of Python and of SQLite alike, and lets the nth of them fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum way { ONCE, FROM_THEN_ON, IN_HALF, BY_DEATH, NO_MORE_FILES };
enum { MOST_FILES = 4096 };

static const char *folder = "";
static _Atomic long calls, nth;
static _Atomic int way;
static _Atomic char watched[MOST_FILES];

/* nth: 1 for the next call, 0 for none. */
void disk_fails(const char *below, long at, int how) {
    folder = below;
    calls = 0;
    way = how;
    nth = at;
}

/* Calls since then. */
long disk_calls(void) { return calls; }

static int is_due(void) {
    if (!nth) return 0;
    long mine = ++calls;
    if (mine == nth && way == BY_DEATH) _exit(9);
    return mine == nth || ((way == FROM_THEN_ON || way == NO_MORE_FILES) && mine > nth);
}

static int fails(int error) {
    if (way == IN_HALF || (way == NO_MORE_FILES && error != EMFILE) || !is_due()) return 0;
    errno = error;
    return 1;
}

static int is_below(const char *path) { return *folder && strncmp(path, folder, strlen(folder)) == 0; }
static int is_watched(int file) { return file >= 0 && file < MOST_FILES && watched[file]; }

static int opened(int file, const char *path) {
    if (file >= 0 && file < MOST_FILES) watched[file] = is_below(path);
    return file;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPENING(name)                                               \
    int name(const char *path, int flags, ...) {                    \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                               \
        if (is_below(path) && fails(EMFILE)) return -1;             \
        return opened(REAL(name)(path, flags, mode), path);         \
    }
OPENING(open)
OPENING(open64)

#define OF_FILE(name, error, parameters, arguments)                 \
    int name parameters {                                           \
        if (is_watched(file) && fails(error)) return -1;            \
        return REAL(name) arguments;                                \
    }
OF_FILE(ftruncate, EIO, (int file, off_t size), (file, size))
OF_FILE(ftruncate64, EIO, (int file, off64_t size), (file, size))
OF_FILE(flock, ENOLCK, (int file, int operation), (file, operation))

/* Those that succeed do nothing: the machine stays up, and waiting for a real disk is most of the time otherwise. */
#define SYNCING(name)                                               \
    int name(int file) { return is_watched(file) ? -fails(EIO) : REAL(name)(file); }
SYNCING(fsync)
SYNCING(fdatasync)

#define OF_PATH(name, error, parameters, arguments)                 \
    int name parameters {                                           \
        if (is_below(path) && fails(error)) return -1;              \
        return REAL(name) arguments;                                \
    }
OF_PATH(mkdir, ENOSPC, (const char *path, mode_t mode), (path, mode))
OF_PATH(rmdir, EIO, (const char *path), (path))
OF_PATH(unlink, EIO, (const char *path), (path))

int rename(const char *path, const char *to) {
    if (is_below(path) && fails(EIO)) return -1;
    return REAL(rename)(path, to);
}

/* The number of bytes to write: fewer, when this is the write that stops half way. */
static size_t fitting(int file, size_t size) {
    return way == IN_HALF && is_watched(file) && is_due() ? size / 2 : size;
}

ssize_t write(int file, const void *data, size_t size) {
    if (is_watched(file) && fails(ENOSPC)) return -1;
    return REAL(write)(file, data, fitting(file, size));
}

#define WRITING_AT(name, offset_type)                               \
    ssize_t name(int file, const void *data, size_t size, offset_type at) { \
        if (is_watched(file) && fails(ENOSPC)) return -1;           \
        return REAL(name)(file, data, fitting(file, size), at);     \
    }
WRITING_AT(pwrite, off_t)
WRITING_AT(pwrite64, off64_t)

/* Linux closes the file even when it says that it could not. */
int close(int file) {
    int is_ours = is_watched(file);
    if (is_ours) watched[file] = 0;
    int result = REAL(close)(file);
    return is_ours && fails(EIO) ? -1 : result;
}
