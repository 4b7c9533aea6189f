/*
 * nytprof.h - libnytprof: NYTProf v5 profiles, read, checked, made and told.
 *
 * The library knows profiles, not Python or Perl: it never prints, exits, reads
 * the environment or keeps mutable state outside the handles below. It needs
 * libc and zlib. The file format is described in docs/format.md.
 *
 * Conventions. Handles are opaque. Results come through an out parameter that is
 * set to NULL on failure. An int result is zero or positive for success and one
 * of the negative NYT_E... codes for failure; where a `nyt_error *` is taken it may
 * be NULL, and is filled only on failure. Bytes that came out of a file are
 * `nyt_str`: counted, not terminated, in whatever encoding the writer used.
 * `free` and `close` take NULL.
 */
#ifndef NYTPROF_H
#define NYTPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NYT_API
#define NYT_API
#endif

/* ---- Errors ------------------------------------------------------------- */

enum {
    NYT_OK = 0,
    NYT_EIO = -1,       /* the system refused; `sys_errno` says why */
    NYT_ENOMEM = -2,
    NYT_EFORMAT = -3,   /* the bytes are not a NYTProf profile, or not any more */
    NYT_EVERSION = -4,  /* a NYTProf profile of another major version */
    NYT_ETRUNC = -5,    /* the file ends in mid-record or mid-stream */
    NYT_EDEFLATE = -6,  /* zlib found the compressed part damaged */
    NYT_ELIMIT = -7,    /* more than this library is willing to hold */
    NYT_EAPI = -8,      /* a call out of order or with impossible arguments */
    NYT_ECHUNK = -9     /* a chunk that does not follow docs/format.md */
};

typedef struct {
    int      code;          /* one of NYT_E... */
    int      sys_errno;     /* for NYT_EIO, else 0 */
    uint64_t offset;        /* of the faulty byte: in the file, or, if `in_deflate`,
                               in the data that the file's zlib stream inflates to */
    uint64_t record;        /* records that were whole before it */
    bool     in_deflate;
    char     message[224];  /* one sentence without offset, terminated */
} nyt_error;

/* A code in a few words; never NULL. */
NYT_API const char *nyt_strerror(int code);

/* ---- Records: the words of the file ------------------------------------- */

typedef struct {
    const char *data;   /* not terminated; may hold any byte */
    size_t      len;
    bool        utf8;   /* it came with tag '"' instead of '\'' */
} nyt_str;

typedef enum {
    NYT_TAG_VERSION       = 'N',    /* the banner; in the file it has no tag */
    NYT_TAG_COMMENT       = '#',
    NYT_TAG_ATTRIBUTE     = ':',
    NYT_TAG_OPTION        = '!',
    NYT_TAG_START_DEFLATE = 'z',
    NYT_TAG_PID_START     = 'P',
    NYT_TAG_PID_END       = 'p',
    NYT_TAG_NEW_FID       = '@',
    NYT_TAG_TIME_LINE     = '+',
    NYT_TAG_TIME_BLOCK    = '*',
    NYT_TAG_DISCOUNT      = '-',
    NYT_TAG_SUB_ENTRY     = '>',
    NYT_TAG_SUB_RETURN    = '<',
    NYT_TAG_SRC_LINE      = 'S',
    NYT_TAG_SUB_INFO      = 's',
    NYT_TAG_SUB_CALLERS   = 'c',
    NYT_TAG_STRING        = '\'',   /* inside records only */
    NYT_TAG_STRING_UTF8   = '"'
} nyt_tag;

typedef struct { uint32_t major, minor; } nyt_version;
/* ATTRIBUTE and OPTION. Without a '=' in the record `value.data` is NULL. */
typedef struct { nyt_str key, value; } nyt_pair;
typedef struct { nyt_str text; } nyt_comment;       /* newline included */

typedef struct {
    uint32_t pid, parent;
    double   time;          /* seconds since the epoch */
} nyt_pid_start;

typedef struct {
    uint32_t pid;
    double   time;          /* seconds since the epoch */
} nyt_pid_end;

typedef struct {
    uint32_t fid;           /* from 1, dense */
    uint32_t eval_fid;      /* for a string eval: who ran it, */
    uint32_t eval_line;     /* and on which line; else 0 and 0 */
    uint32_t flags;         /* NYT_FID_... */
    uint32_t size, mtime;   /* of the file; Perl writes 0 0 */
    nyt_str  name;
} nyt_new_fid;

enum {
    NYT_FID_VIA_STMT  = 0x02,   /* first seen by a statement */
    NYT_FID_VIA_SUB   = 0x04,   /* first seen by a call */
    NYT_FID_HAS_SRC   = 0x10,
    NYT_FID_SAVE_SRC  = 0x20,
    NYT_FID_FAKE      = 0x80,   /* there is no such file */
    NYT_FID_NOT_FILE  = 0x100   /* text from a command line or a pipe */
};

/* TIME_LINE, and TIME_BLOCK with two lines more. */
typedef struct {
    int32_t  ticks;         /* of 1/ticks_per_sec second, an attribute of the file */
    uint32_t fid, line;
    uint32_t block_line;    /* first line of the block; 0 in a TIME_LINE */
    uint32_t sub_line;      /* first line of the sub; 0 in a TIME_LINE */
} nyt_time;

typedef struct { uint32_t fid, line; } nyt_sub_entry;   /* the caller's place */

typedef struct {
    uint32_t depth;         /* 1 = called from the top level */
    double   incl, excl;    /* ticks */
    nyt_str  name;
} nyt_sub_return;

typedef struct {
    uint32_t fid, line;
    nyt_str  text;          /* newline included, if the line had one */
} nyt_src_line;

typedef struct {
    uint32_t fid;
    nyt_str  name;
    uint32_t first, last;   /* 0 and 0: not written in the profiled language */
} nyt_sub_info;

typedef struct {
    uint32_t fid, line;     /* the calling line */
    nyt_str  caller;
    uint32_t count;
    double   incl;          /* seconds, of outermost activations only */
    double   excl;          /* seconds */
    double   reci;          /* seconds, inclusive time of the deeper activations */
    uint32_t depth;         /* most activations of `called` found below */
    nyt_str  called;
} nyt_sub_callers;

typedef struct {
    nyt_tag  tag;
    uint64_t offset;        /* of the tag: see nyt_error.offset */
    bool     in_deflate;
    union {
        nyt_version     version;
        nyt_comment     comment;
        nyt_pair        pair;
        nyt_pid_start   pid_start;
        nyt_pid_end     pid_end;
        nyt_new_fid     new_fid;
        nyt_time        time;
        nyt_sub_entry   sub_entry;
        nyt_sub_return  sub_return;
        nyt_src_line    src_line;
        nyt_sub_info    sub_info;
        nyt_sub_callers sub_callers;
    } u;
} nyt_record;

/* ---- Bytes out ------------------------------------------------------------ */

/*
 * Where a writer or an exporter puts its bytes. Returns 0, or a negative number that
 * ends the work and is handed back as it is: NYT_EIO with errno set, or another code.
 */
typedef int (*nyt_write_fn)(void *ctx, const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
