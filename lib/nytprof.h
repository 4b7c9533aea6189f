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
 * `free` and `close` take NULL. A list comes with its number of elements in *n; if that is
 * 0 the pointer may be NULL.
 *
 * Threads. Any number of handles may be in use at a time, each in one thread. A nyt_profile
 * doesn't change once it is loaded, so that several threads may look at it and export it.
 * Where there are POSIX threads, functions that take a whole profile or many (nyt_profile_load(),
 * nyt_verify(), nyt_merge(), nyt_recover()) may start some to inflate and to read. These end before
 * the function returns, and call no callback: that is for the thread of the caller alone.
 *
 * A profile at a glance: nyt_profile_load(), then the functions that begin with nyt_profile_;
 * examples/hottest.c is a whole program. One record after the other: nyt_reader_open() and
 * nyt_reader_next().
 *
 * Versions. The library follows semantic versioning; before 1.0 functions and types may change in
 * any minor version. The number in the soname (libnytprof.so.1; lib/meson.build has it) changes
 * whenever a program made for the version before may not work with this one: a function is gone
 * or takes other arguments, a constant has another value, a struct has other members. Structs grow
 * at their end only. Option structs (nyt_load_options, nyt_filter, nyt_limit, nyt_report_options,
 * nyt_tree_options, nyt_page_options, nyt_diff_options) must be zero-initialised, as with `= {0}`
 * or designated initialisers: zero means "as usual" in every member, also in those that later
 * versions add. So a caller that is compiled anew need not be changed, and one that is not is kept
 * apart by the soname.
 */
#ifndef NYTPROF_H
#define NYTPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the shared library has to offer; all else in it is hidden. */
#ifndef NYT_API
#if defined(NYT_SHARED) && defined(__GNUC__)
#define NYT_API __attribute__((visibility("default")))
#else
#define NYT_API
#endif
#endif

/* ---- Version ------------------------------------------------------------- */

/* Of this header. The build fails if it is not that of the project. */
#define NYT_VERSION_MAJOR 0
#define NYT_VERSION_MINOR 1
#define NYT_VERSION_PATCH 0

/* The version of the library that runs, such as "0.1.0"; static. */
NYT_API const char *nyt_version(void);

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
    int code;        /* one of NYT_E... */
    int sys_errno;   /* for NYT_EIO, else 0 */
    uint64_t offset; /* of the faulty byte: in the file, or, if `in_deflate`,
                               in the data that the file's zlib stream inflates to */
    uint64_t record;        /* records that were whole before it */
    bool in_deflate;
    char message[224]; /* one sentence without offset, terminated */
} nyt_error;

/* One of NYT_E... (or NYT_OK) in a few words: static, never NULL. */
NYT_API const char *nyt_strerror(int code);

/* ---- Records: the words of the file ------------------------------------- */

typedef struct {
    const char *data;   /* not terminated; may hold any byte */
    size_t len;
    bool utf8; /* it came with tag '"' instead of '\'' */
} nyt_str;

typedef enum {
    NYT_TAG_VERSION = 'N', /* the banner; in the file it has no tag */
    NYT_TAG_COMMENT = '#',
    NYT_TAG_ATTRIBUTE = ':',
    NYT_TAG_OPTION = '!',
    NYT_TAG_START_DEFLATE = 'z',
    NYT_TAG_PID_START = 'P',
    NYT_TAG_PID_END = 'p',
    NYT_TAG_NEW_FID = '@',
    NYT_TAG_TIME_LINE = '+',
    NYT_TAG_TIME_BLOCK = '*',
    NYT_TAG_DISCOUNT = '-',
    NYT_TAG_SUB_ENTRY = '>',
    NYT_TAG_SUB_RETURN = '<',
    NYT_TAG_SRC_LINE = 'S',
    NYT_TAG_SUB_INFO = 's',
    NYT_TAG_SUB_CALLERS = 'c',
    NYT_TAG_STRING = '\'', /* inside records only */
    NYT_TAG_STRING_UTF8 = '"'
} nyt_tag;

typedef struct {
    uint32_t major, minor;
} nyt_format_version;
/* ATTRIBUTE and OPTION. Without a '=' in the record `value.data` is NULL. */
typedef struct {
    nyt_str key, value;
} nyt_pair;
typedef struct {
    nyt_str text;
} nyt_comment; /* newline included */

typedef struct {
    uint32_t pid, parent;
    double time; /* seconds since the epoch */
} nyt_pid_start;

typedef struct {
    uint32_t pid;
    double time; /* seconds since the epoch */
} nyt_pid_end;

typedef struct {
    uint32_t fid;           /* from 1, dense */
    uint32_t eval_fid;      /* for a string eval: who ran it, */
    uint32_t eval_line;     /* and on which line; else 0 and 0 */
    uint32_t flags;         /* NYT_FID_... */
    uint32_t size, mtime;   /* of the file; Perl writes 0 0 */
    nyt_str name;
} nyt_new_fid;

enum {
    NYT_FID_VIA_STMT = 0x02, /* first seen by a statement */
    NYT_FID_VIA_SUB = 0x04,  /* first seen by a call */
    NYT_FID_HAS_SRC = 0x10,
    NYT_FID_SAVE_SRC = 0x20,
    NYT_FID_FAKE = 0x80,     /* there is no such file */
    NYT_FID_NOT_FILE = 0x100 /* text from a command line or a pipe */
};

/* TIME_LINE, and TIME_BLOCK with two lines more. */
typedef struct {
    int32_t ticks; /* of 1/ticks_per_sec second, an attribute of the file */
    uint32_t fid, line;
    uint32_t block_line;    /* first line of the block; 0 in a TIME_LINE */
    uint32_t sub_line;      /* first line of the sub; 0 in a TIME_LINE */
} nyt_time;

typedef struct {
    uint32_t fid, line;
} nyt_sub_entry; /* the caller's place */

typedef struct {
    uint32_t depth;    /* 1 = called from the top level */
    double incl, excl; /* ticks */
    nyt_str name;
} nyt_sub_return;

typedef struct {
    uint32_t fid, line;
    nyt_str text; /* newline included, if the line had one */
} nyt_src_line;

typedef struct {
    uint32_t fid;
    nyt_str name;
    uint32_t first, last;   /* 0 and 0: not written in the profiled language */
} nyt_sub_info;

typedef struct {
    uint32_t fid, line;     /* the calling line */
    nyt_str caller;
    uint32_t count;
    double incl;    /* seconds, of outermost activations only */
    double excl;    /* seconds */
    double reci;    /* seconds, inclusive time of the deeper activations */
    uint32_t depth; /* most activations of `called` found below */
    nyt_str called;
} nyt_sub_callers;

typedef struct {
    nyt_tag tag;
    uint64_t offset;        /* of the tag: see nyt_error.offset */
    bool in_deflate;
    union {
        nyt_format_version version;
        nyt_comment comment;
        nyt_pair pair;
        nyt_pid_start pid_start;
        nyt_pid_end pid_end;
        nyt_new_fid new_fid;
        nyt_time time;
        nyt_sub_entry sub_entry;
        nyt_sub_return sub_return;
        nyt_src_line src_line;
        nyt_sub_info sub_info;
        nyt_sub_callers sub_callers;
    } u;
} nyt_record;

/* ---- Bytes out ------------------------------------------------------------ */

/*
 * Where a writer or an exporter puts its bytes. Returns 0, or a negative number that
 * ends the work and is handed back as it is: NYT_EIO with errno set, or another code.
 */
typedef int (*nyt_write_fn)(void *ctx, const void *data, size_t len);

/* ---- Writer: records to a file ---------------------------------------------- */

/*
 * Writes records in the order in which they are given; only what one record needs
 * is checked. A writer that has failed stays failed: each function then returns the
 * same code and does nothing, so that it is enough to look at what close returns.
 */
typedef struct nyt_writer nyt_writer;

/*
 * Creates or empties `path` and writes the banner. `level` is zlib's, 1 to 9, or 0: nothing is
 * ever compressed. *out is the caller's, to be closed with nyt_writer_close() or
 * nyt_writer_abandon(). NYT_EIO, NYT_ENOMEM, NYT_EAPI.
 */
NYT_API int nyt_writer_open(nyt_writer **out, const char *path, int level, nyt_error *err);
/* The same with a sink, which must outlive the writer. NYT_ENOMEM, NYT_EAPI. */
NYT_API int nyt_writer_open_fn(nyt_writer **out, nyt_write_fn fn, void *ctx, int level,
                               nyt_error *err);

/*
 * Ends the compressed part, writes what is still held, and frees the writer, whatever
 * comes of it. A failure, also of an earlier call, is reported here and then the file
 * is incomplete.
 */
NYT_API int nyt_writer_close(nyt_writer *w, nyt_error *err);

/* Frees the writer (NULL: nothing to do) and writes nothing more: the file stays incomplete. */
NYT_API void nyt_writer_abandon(nyt_writer *w);

/* NYT_OK, or the failure that all calls return; err may be NULL. */
NYT_API int nyt_writer_status(const nyt_writer *w, nyt_error *err);

/*
 * The functions below write one record each. They copy what they are given, and return NYT_OK or
 * the failure that the writer stays in (NYT_EIO, NYT_ENOMEM, or what its sink returned); NYT_EAPI
 * for a record that cannot be written, which does no harm to the writer.
 */

/* A comment without '#' and newline; NYT_EAPI if there is a newline in it. */
NYT_API int nyt_writer_comment(nyt_writer *w, nyt_str text);
/* What is true of the profile. NYT_EAPI: a newline in either, or a '=' in the key. */
NYT_API int nyt_writer_attribute(nyt_writer *w, nyt_str key, nyt_str value);
/* A setting of the profiler; as nyt_writer_attribute(). */
NYT_API int nyt_writer_option(nyt_writer *w, nyt_str key, nyt_str value);

/* What follows is compressed. Nothing at level 0; NYT_EAPI the second time. */
NYT_API int nyt_writer_start_deflate(nyt_writer *w);

/* A process begins: its section lasts to the PID_END with the same pid. */
NYT_API int nyt_writer_pid_start(nyt_writer *w, const nyt_pid_start *r);
/* A process ends. */
NYT_API int nyt_writer_pid_end(nyt_writer *w, const nyt_pid_end *r);
/* A file gets its number, before any other record has it. */
NYT_API int nyt_writer_new_fid(nyt_writer *w, const nyt_new_fid *r);
/* One statement: a TIME_BLOCK if `block_line` or `sub_line` is not 0, else a TIME_LINE. */
NYT_API int nyt_writer_time(nyt_writer *w, const nyt_time *r);
/* The next statement adds time, but is not counted: it was counted before. */
NYT_API int nyt_writer_discount(nyt_writer *w);
/* A call begins; Perl's tools make nothing of it. */
NYT_API int nyt_writer_sub_entry(nyt_writer *w, const nyt_sub_entry *r);
/* A call ends; in ticks. */
NYT_API int nyt_writer_sub_return(nyt_writer *w, const nyt_sub_return *r);
/* One line of a file's source. */
NYT_API int nyt_writer_src_line(nyt_writer *w, const nyt_src_line *r);
/* Where a sub stands. */
NYT_API int nyt_writer_sub_info(nyt_writer *w, const nyt_sub_info *r);
/* All calls of one sub by another from one line; in seconds. */
NYT_API int nyt_writer_sub_callers(nyt_writer *w, const nyt_sub_callers *r);

#define NYT_COUNT_MAX (UINT64_C(1) << 48)

/*
 * `count` executions of a line that took `ticks` together, as TIME records whose
 * ticks add up exactly. `where` gives the lines, its own ticks are ignored. Time
 * that the 31 bits of `count` records can't hold follows in records behind a
 * DISCOUNT each, as does all of it where `count` is 0: the line was not started, but
 * open when profiling began. The cost in memory does not depend on `count`, that in
 * time and in the file hardly does when compressed.
 * A count beyond NYT_COUNT_MAX, which no program reaches, is NYT_EAPI.
 */
NYT_API int nyt_writer_time_run(nyt_writer *w, const nyt_time *where, uint64_t count,
                                uint64_t ticks);

/* ---- Chunks: what tracers hand over, to a file -------------------------------- */

/*
 * Turns the chunks described in docs/format.md into records. A chunk is checked
 * before anything of it is written: one that is refused (NYT_ECHUNK; err->offset is
 * that of the faulty item in the payload) leaves no trace, and others may follow.
 */
typedef struct nyt_chunks nyt_chunks;

/*
 * Compressed sources of files, to be used again by later profiles of one tracer: a
 * file whose payload is as long as the last one of its fid is taken to be the same,
 * until nyt_pieces_renumber().
 */
typedef struct nyt_pieces nyt_pieces;

/* An empty one, the caller's; NULL: out of memory. */
NYT_API nyt_pieces *nyt_pieces_new(void);
/* Takes NULL. No chunks that use it may be open. */
NYT_API void nyt_pieces_free(nyt_pieces *p);

/*
 * For later processes: hands all that is compressed to `fn`, in one piece. What `fn` returned,
 * or NYT_ENOMEM.
 */
NYT_API int nyt_pieces_save(nyt_pieces *p, nyt_write_fn fn, void *ctx);
/*
 * Takes what nyt_pieces_save() gave, on this machine, with this zlib; each source is used where
 * a payload is the same, byte for byte (by a sum of 128 bits). `data` must outlive `p`. NYT_EFORMAT:
 * it is damaged or another's, and nothing is taken. NYT_ENOMEM.
 */
NYT_API int nyt_pieces_load(nyt_pieces *p, const void *data, size_t len);
/* How many compressed bytes have been made since the last save or load. */
NYT_API size_t nyt_pieces_unsaved(const nyt_pieces *p);
/* What was made for one fid may now come for another: payloads are compared before it is used. */
NYT_API void nyt_pieces_renumber(nyt_pieces *p);

/*
 * Who knows that a file is the one whose source was compressed in an earlier process need not
 * read it. `identity` is any `len` bytes that tell the file, its state, and all of its F
 * chunk but for the fid and the source. 1: its source is there, for this fid and level, and stays
 * until nyt_pieces_free(), for nyt_chunks_kept() and nyt_pieces_text(); *out tells of it. 0: it
 * is not; what comes to be made for the fid is kept by this identity. NYT_ENOMEM.
 */
typedef struct {
    uint32_t lines;
    size_t payload; /* bytes of its F chunk */
} nyt_kept_source;

NYT_API int nyt_pieces_know(nyt_pieces *p, uint32_t fid, int level, const void *identity,
                            size_t len, nyt_kept_source *out);
/* Its text, to be freed with free(), not terminated. NYT_EFORMAT, NYT_ENOMEM. */
NYT_API int nyt_pieces_text(const nyt_pieces *p, uint32_t fid, char **text, size_t *len);

/*
 * As nyt_writer_open(). `pieces` may be NULL, else must outlive the chunks. *out is the caller's,
 * to be closed with nyt_chunks_close() or nyt_chunks_abandon().
 */
NYT_API int nyt_chunks_open(nyt_chunks **out, const char *path, int level, nyt_pieces *pieces,
                            nyt_error *err);
/* As nyt_writer_open_fn(), with `pieces` as above. */
NYT_API int nyt_chunks_open_fn(nyt_chunks **out, nyt_write_fn fn, void *ctx, int level,
                               nyt_pieces *pieces, nyt_error *err);
/*
 * Writes one chunk: `payload` as docs/format.md has it for `token`, copied. NYT_ECHUNK: refused,
 * and others may follow. NYT_EIO, NYT_ENOMEM, or what the sink returned: nothing more is written.
 */
NYT_API int nyt_chunks_write(nyt_chunks *c, char token, const void *payload, size_t len,
                             nyt_error *err);
/* Writes the F chunk of a source that nyt_pieces_know() has found; as nyt_chunks_write(). */
NYT_API int nyt_chunks_kept(nyt_chunks *c, uint32_t fid, nyt_error *err);
/* As nyt_writer_close(). A profile in which a section is still open is incomplete. */
NYT_API int nyt_chunks_close(nyt_chunks *c, nyt_error *err);
/* As nyt_writer_abandon(); takes NULL. */
NYT_API void nyt_chunks_abandon(nyt_chunks *c);

/* ---- Reader: one record after the other ------------------------------------ */

typedef struct nyt_reader nyt_reader;

/*
 * Where a reader gets its bytes: stores up to `size` (at least 1) at `data` and their number
 * in *got; zero bytes are the end. Returns 0, or a negative number as nyt_write_fn does.
 */
typedef int (*nyt_read_fn)(void *ctx, void *data, size_t size, size_t *got);

/*
 * Opens a profile and reads the banner. On success *out is the caller's, to be closed with
 * nyt_reader_close(). On failure *out is NULL, and *err says what and where: NYT_EIO,
 * NYT_ENOMEM, NYT_EFORMAT, NYT_EVERSION, NYT_ETRUNC.
 */
NYT_API int nyt_reader_open(nyt_reader **out, const char *path, nyt_error *err);
/* The same of `len` bytes, which stay the caller's and must outlive the reader. */
NYT_API int nyt_reader_open_memory(nyt_reader **out, const void *data, size_t len, nyt_error *err);
/* The same of what `read` gives; `ctx` is handed to it and must outlive the reader. */
NYT_API int nyt_reader_open_fn(nyt_reader **out, nyt_read_fn read, void *ctx, nyt_error *err);

/*
 * Takes the next record, the banner (NYT_TAG_VERSION) first: 1 and *rec filled, 0 at a clean
 * end, negative on error. Strings in *rec live until the next call on this reader. An error
 * is final: later calls repeat it. NYT_ETRUNC: the file breaks off; all records so far were
 * whole. What follows the zlib stream of a compressed profile is not read, as in Perl.
 */
NYT_API int nyt_reader_next(nyt_reader *r, nyt_record *rec, nyt_error *err);

typedef struct {
    uint64_t records;           /* taken so far, the banner included */
    uint64_t bytes;             /* of the file, as far as it was needed */
    uint64_t inflated;          /* bytes that the zlib stream gave; 0: not compressed */
    uint32_t ticks_per_sec;     /* as last announced; 0: not yet */
} nyt_progress;

/* How far a reader has come; also after an error, and at the end. */
NYT_API nyt_progress nyt_reader_progress(const nyt_reader *r);
/* Takes NULL. Strings of the last record are gone. */
NYT_API void nyt_reader_close(nyt_reader *r);

/* "TIME_LINE" and the like; NULL for what is no record. */
NYT_API const char *nyt_tag_name(nyt_tag tag);

/* ---- Verify: what a sound profile obeys ------------------------------------- */

typedef enum {
    NYT_ODD,        /* unusual, harmless */
    NYT_WARNED,     /* incomplete, or Perl's tools warn about it or report it wrongly */
    NYT_FATAL       /* Perl's tools refuse the file or crash */
} nyt_severity;

typedef struct {
    nyt_severity severity;
    int code;         /* NYT_E... where reading ended there, else 0 */
    const char *rule; /* the rule's name, such as "fid-gap"; static */
    uint64_t offset;  /* see nyt_error.offset; of the record's tag, or, for what */
    bool in_deflate;  /* shows at the end only, of the end */
    uint64_t record;  /* number of the record, the banner is 0 */
    const char *text; /* one sentence; lives during the call */
} nyt_finding;

/* Sees each finding in turn. Anything but 0 ends the work and is handed back. */
typedef int (*nyt_finding_fn)(void *ctx, const nyt_finding *finding);

typedef struct {
    uint64_t records;           /* that could be read, the banner included */
    uint64_t odd, warned, fatal;
} nyt_verdict;

/*
 * Judges a profile. 0: it was judged, *out (may be NULL) has the figures, `fn` (may be NULL) saw
 * the findings; bytes that are no profile at all are a NYT_FATAL finding too. Negative: it
 * could not be judged: NYT_EIO, NYT_ENOMEM, NYT_ELIMIT.
 */
NYT_API int nyt_verify(const char *path, nyt_finding_fn fn, void *ctx, nyt_verdict *out,
                       nyt_error *err);
/* The same of `len` bytes. */
NYT_API int nyt_verify_memory(const void *data, size_t len, nyt_finding_fn fn, void *ctx,
                              nyt_verdict *out, nyt_error *err);
/* The same of what `read` gives, called with `read_ctx`; `fn` is called with `ctx`. */
NYT_API int nyt_verify_fn(nyt_read_fn read, void *read_ctx, nyt_finding_fn fn, void *ctx,
                          nyt_verdict *out, nyt_error *err);

/* ---- Profile: all of a file, added up ---------------------------------------- */

typedef struct nyt_profile nyt_profile;

/* How far from the project's own code; as `pynytprof --scope`. */
typedef enum {
    NYT_REACH_ALL,
    NYT_REACH_SITE, /* without the language's own library */
    NYT_REACH_PROJECT /* without installed packages, too */
} nyt_reach;

/*
 * Which files are shown: all that are within `reach`, match one of `only` if there is any, and none
 * of `exclude`. In a pattern `*` stands for any characters, `/` included; one that does not begin
 * with `/` matches from any folder on. Reports leave the others out, and
 * figures stay what they are; see also nyt_load_options.
 */
typedef struct {
    const char *const *only;
    size_t only_count;
    const char *const *exclude;
    size_t exclude_count;
    nyt_reach reach;
} nyt_filter;

typedef struct {
    bool keep_evals;    /* do not merge sibling evals of one source, as Perl's loader does */
    bool salvage;       /* keep what is before damage and behind it: see nyt_profile_fault() */
    uint32_t section;   /* only the lines of the process or thread with this number, and no calls,
                           which files have of all together; 0: all */
    uint32_t process;   /* the same for all threads of one process */
    const nyt_filter *filter; /* keep only what it shows, as if no other code had been profiled: the
                                 time of the rest is that of the lines and subs that called it, as
                                 far as the call tree tells. NULL: keep all */
    bool sections; /* keep the lines of each process and thread apart, too: for nyt_report_page() */
    const char
        *unit; /* only what ran in a unit of work whose name, or what is behind its first "::",
                         matches: `*` stands for any characters. Awaited times are left out: they are
                         not known by units, and not with `salvage` (NYT_EAPI). See
                         nyt_profile_unit_state(). NULL: all */
} nyt_load_options;

/*
 * Reads a profile to its end. `options` may be NULL. A file that breaks off is no failure: what
 * it held is kept, nyt_totals.complete is false and nyt_profile_fault() tells the reason.
 * NYT_EIO, NYT_ENOMEM, NYT_ELIMIT (more than 1 GiB of names and sources, or 2^20 processes; of
 * comments the first 1000 are kept), and unless `salvage` is set NYT_EFORMAT, NYT_EDEFLATE;
 * NYT_EFORMAT, NYT_EVERSION and NYT_ETRUNC for what has no whole banner.
 */
NYT_API int nyt_profile_load(nyt_profile **out, const char *path, const nyt_load_options *options,
                             nyt_error *err);
/* The same of `len` bytes, which are not needed any more when it returns. */
NYT_API int nyt_profile_load_memory(nyt_profile **out, const void *data, size_t len,
                                    const nyt_load_options *options, nyt_error *err);
/* The same of what `read` gives; what it returns below zero is handed back. */
NYT_API int nyt_profile_load_fn(nyt_profile **out, nyt_read_fn read, void *ctx,
                                const nyt_load_options *options, nyt_error *err);
/* Takes NULL. All that the profile showed is gone. */
NYT_API void nyt_profile_free(nyt_profile *p);

/* Everything below lives as long as the profile; its strings are also terminated. */

/* Why reading ended before the end of the file; NULL: it did not. */
NYT_API const nyt_error *nyt_profile_fault(const nyt_profile *p);

typedef struct {
    nyt_format_version version;
    uint64_t records;
    uint64_t bytes, inflated; /* see nyt_progress */
    uint32_t ticks_per_sec; /* 0: none was given, and times are infinite */
    bool complete; /* read to the end, every process ended, and no snapshot */
    bool snapshot; /* the program was still running when it was written */
    bool timed; /* at least one process ended: the next five are known */
    double start, end; /* seconds since the epoch, of the last process */
    double wall; /* seconds from the first start to the last end */
    double duration; /* seconds, all processes and threads together */
    double active; /* the same less the profiler's own time */
    uint64_t statements; /* TIME_LINE and TIME_BLOCK records */
    uint64_t discounted; /* so many of them were not counted */
    double statement_time; /* seconds */
    uint64_t calls;
    bool blocks; /* there were TIME_BLOCK records */
    double processor_wait; /* seconds for which other programs had the processors: no line's time */
} nyt_totals;

/* The sums of the whole profile; never NULL. */
NYT_API const nyt_totals *nyt_profile_totals(const nyt_profile *p);

/* What is said of the profile, in order of first appearance; the last value of a key counts. */
NYT_API const nyt_pair *nyt_profile_attributes(const nyt_profile *p, size_t *n);
/* The profiler's settings; likewise. */
NYT_API const nyt_pair *nyt_profile_options(const nyt_profile *p, size_t *n);
/* The value of one attribute, or NULL. */
NYT_API const nyt_str *nyt_profile_attribute(const nyt_profile *p, const char *key);
/* The value of one setting, or NULL. */
NYT_API const nyt_str *nyt_profile_option(const nyt_profile *p, const char *key);
/* The first 1000 comments in their order, with their newlines. */
NYT_API const nyt_str *nyt_profile_comments(const nyt_profile *p, size_t *n);

typedef struct {
    uint32_t pid, parent;
    bool started, ended; /* PID_START, PID_END was there */
    double start, end; /* seconds since the epoch */
    double statement_time; /* seconds of its lines, as far as they were counted */
    uint32_t process; /* the number of the process that it is a thread of, or its own; 0: unknown */
} nyt_process;

/* In the order in which they started, or, if that is missing, ended. */
NYT_API const nyt_process *nyt_profile_processes(const nyt_profile *p, size_t *n);

typedef struct {
    uint32_t fid;
    uint32_t eval_fid, eval_line; /* a string eval: who ran it; else 0 and 0 */
    uint32_t flags; /* NYT_FID_... */
    uint32_t size, mtime;
    nyt_str name;
    bool is_eval; /* it has a file that ran it */
    uint32_t merged_into; /* fid of the sibling that took all this one had, or 0 */
} nyt_file;

/* All files by fid, merged ones included. */
NYT_API const nyt_file *nyt_profile_files(const nyt_profile *p, size_t *n);
/* One of them, or NULL. */
NYT_API const nyt_file *nyt_profile_file(const nyt_profile *p, uint32_t fid);

/* Whose code a file is. */
typedef enum {
    NYT_SCOPE_PROJECT, /* none of the others */
    NYT_SCOPE_PACKAGES, /* installed packages */
    NYT_SCOPE_LIBRARY, /* the language's own */
    NYT_SCOPE_BUILTIN, /* the place of functions written in C */
    NYT_SCOPE_GENERATED, /* made while the program ran, by whom is not known */
    NYT_SCOPES
} nyt_scope;

/* How many files a filter (NULL: none) shows. NYT_ENOMEM. */
NYT_API int nyt_profile_shows(const nyt_profile *p, const nyt_filter *filter, size_t *n);

/* That of a file, by its path; of a string eval, that of the code which ran it. */
NYT_API nyt_scope nyt_profile_scope(const nyt_profile *p, uint32_t fid);

typedef enum { NYT_LEVEL_LINE, NYT_LEVEL_BLOCK, NYT_LEVEL_SUB } nyt_level;

typedef struct {
    uint32_t fid, line;
    int64_t count; /* executions; negative only in odd files (docs/tools.md) */
    int64_t ticks;
    double time; /* seconds, without the subs that the line called */
    double incl; /* seconds, with them: the inclusive time of outermost calls */
    bool shared; /* its time is a share of one that was measured for several lines together */
} nyt_line;

/* What a '~' before the time of such a line means, for people. */
#define NYT_SHARED_WORDS                                                 \
    "~ a share of a time that was measured for several lines together; " \
    "--exact-lines measures each line"

/*
 * The lines of one file (0: time without a file) that have records, by line number. Lines of a
 * merged eval appear under both fids; skip files that are merged when adding up.
 */
NYT_API const nyt_line *nyt_profile_lines(const nyt_profile *p, nyt_level level, uint32_t fid,
                                          size_t *n);
/* The same of all files, by fid and line number. */
NYT_API const nyt_line *nyt_profile_all_lines(const nyt_profile *p, nyt_level level, size_t *n);
/* One line; NULL: it has no record. */
NYT_API const nyt_line *nyt_profile_line(const nyt_profile *p, nyt_level level, uint32_t fid,
                                         uint32_t line);

/*
 * What a line of a coroutine has waited for: from where it was suspended to where it went on, in
 * seconds on the clock, and how often. It is no part of anybody's time. Of coroutines that await
 * one another, the line of each has it.
 */
typedef struct {
    uint32_t fid, line;
    uint64_t count;
    double time;
} nyt_await;

/* By fid and line; of the 400 lines that waited longest. */
NYT_API const nyt_await *nyt_profile_awaits(const nyt_profile *p, size_t *n);
/* Of one line; NULL: it never waited. */
NYT_API const nyt_await *nyt_profile_await(const nyt_profile *p, uint32_t fid, uint32_t line);

/*
 * A unit of work: pynytprof.unit(), a request or a task that was profiled under a name. How often it
 * began, and how long it ran: inclusive time of the outermost, which has no awaited time in it. Of a
 * profile that was loaded with nyt_load_options.unit: within those alone.
 */
typedef struct {
    nyt_str name; /* of the sub that stands for it: "unit::import" */
    uint64_t count;
    double time;
    bool apart; /* its lines and calls can be looked at alone */
} nyt_unit;

/* The dearest first. */
NYT_API const nyt_unit *nyt_profile_units(const nyt_profile *p, size_t *n);

/* What is to be said of the units of a profile. */
typedef enum {
    NYT_UNITS_FINE,
    NYT_UNITS_UNKNOWN, /* none has the name that was asked for */
    NYT_UNITS_TOGETHER, /* the file has sums over all units only: its tracer told no more */
    NYT_UNITS_LOST, /* it had more, which Perl's nytprofmerge did not understand */
    NYT_UNITS_PARTLY /* there were so many that some are told with those around them */
} nyt_unit_state;
NYT_API nyt_unit_state nyt_profile_unit_state(const nyt_profile *p);

/* Embedded source, by line number; numbers may be missing. n = 0: none was embedded. */
NYT_API const nyt_src_line *nyt_profile_source(const nyt_profile *p, uint32_t fid, size_t *n);
/* The text of one line, NULL if it is not there. */
NYT_API const nyt_str *nyt_profile_source_line(const nyt_profile *p, uint32_t fid, uint32_t line);

typedef enum { NYT_KIND_CODE, NYT_KIND_XSUB, NYT_KIND_OPCODE } nyt_kind;

typedef struct {
    nyt_str name;
    uint32_t fid; /* 0: unknown */
    bool has_range; /* first and last are known */
    uint32_t first, last; /* 0 and 0: not written in the profiled language */
    nyt_kind kind;
    uint64_t calls;
    double incl, excl, reci; /* seconds, see nyt_sub_callers */
    uint32_t depth;
    uint32_t package_len; /* so much of the name is its package */
} nyt_sub;

/* All subs by name (bytes compared). */
NYT_API const nyt_sub *nyt_profile_subs(const nyt_profile *p, size_t *n);
/* One of them, or NULL. */
NYT_API const nyt_sub *nyt_profile_sub(const nyt_profile *p, nyt_str name);
/* Names of the subs that one file defines, by name: more than nyt_sub.fid tells for doubles. */
NYT_API const nyt_sub *const *nyt_profile_defined(const nyt_profile *p, uint32_t fid, size_t *n);
/* Names of subs that were merged into this one. */
NYT_API const nyt_str *nyt_profile_merged_names(const nyt_profile *p, const nyt_sub *sub,
                                                size_t *n);

/*
 * All calls of one sub by one sub from one line. Perl's own loader knows the calls from one line
 * together only, as made by "a or b".
 */
typedef struct {
    const nyt_sub *called;
    nyt_str caller; /* the calling sub's name; empty: nobody's */
    uint32_t fid, line; /* the calling line */
    uint64_t count;
    uint64_t outermost; /* calls that found no other activation of the sub; of files by
                                   Perl, where it can't be known exactly, the most there were */
    double incl, excl, reci; /* seconds */
    uint32_t depth;
} nyt_call;

/* All calls, by name of the called, fid, line and caller. */
NYT_API const nyt_call *nyt_profile_all_calls(const nyt_profile *p, size_t *n);
/* The calls of one sub (one of this profile's), by fid, line and caller. */
NYT_API const nyt_call *nyt_profile_callers(const nyt_profile *p, const nyt_sub *sub, size_t *n);
/* The calls made in one file, by line, name of the called and caller. */
NYT_API const nyt_call *const *nyt_profile_calls(const nyt_profile *p, uint32_t fid, size_t *n);

/*
 * The call tree, added up by path, from SUB_RETURN records: node 0 is the root and has no name,
 * every other node comes after its parent. A call that never returned has an empty name.
 */
typedef struct {
    nyt_str name;
    uint32_t parent;
    uint32_t first_child, next; /* next sibling; 0: none */
    uint32_t depth; /* root 0 */
    uint64_t calls; /* SUB_RETURN records; a writer may have added up calls itself */
    double incl, excl; /* ticks */
} nyt_node;

/* All nodes; there is at least the root. */
NYT_API const nyt_node *nyt_profile_tree(const nyt_profile *p, size_t *n);

/* ---- Where the time went ------------------------------------------------------- */

typedef enum {
    NYT_PART_PROJECT,
    NYT_PART_PACKAGES,
    NYT_PART_LIBRARY,
    NYT_PART_IMPORTS, /* module bodies, what they call, and what finds and loads modules */
    NYT_PART_WAITING, /* sleeps, idle polls, locks, processes waited for */
    NYT_PARTS
} nyt_part;

/*
 * Seconds of each part of the program: every call path belongs to one of them, functions in C to
 * that of the code which called them. Without a call tree lines are parted by their files, and
 * imports are not known; neither are they where the tree has less than half of the time, as Perl's
 * often has.
 */
typedef struct {
    double seconds[NYT_PARTS];
    double total; /* NaN: out of memory */
} nyt_split;

/* All zeros where there is no memory for it. */
NYT_API nyt_split nyt_profile_split(const nyt_profile *p);
/* "project", "packages", "library", "imports", "waiting"; static. */
NYT_API const char *nyt_part_name(nyt_part part);

/* ---- Merge and recover: profiles made sound, as one profile ------------------- */

/*
 * Added up by place, sub and path, so that its size goes with these and not with records:
 * counts and ticks exact, files matched by name (evals by parent, line and source), subs by
 * file and name. docs/tools.md has the rules.
 */
typedef struct nyt_merged nyt_merged;

typedef struct {
    bool lossy; /* something is missing in the result, or had to be made up */
    const char *path; /* of the profile that it is about; NULL: of the result */
    const char *text; /* one sentence; lives during the call */
} nyt_note;

typedef void (*nyt_note_fn)(void *ctx, const nyt_note *note);

/*
 * Reads `n` profiles, at least one. Their order makes no difference. What breaks off or is
 * damaged is taken as far as it goes, with a note. `note` may be NULL. On failure *out is NULL and
 * *failed (may be NULL) the path it is about or NULL: NYT_EIO, NYT_ENOMEM, NYT_ELIMIT, NYT_EAPI;
 * NYT_EFORMAT, NYT_EVERSION, NYT_ETRUNC for what has no whole banner; NYT_EFORMAT, too, if
 * there is no file in any of them.
 */
NYT_API int nyt_merge(nyt_merged **out, const char *const *paths, size_t n, nyt_note_fn note,
                      void *ctx, const char **failed, nyt_error *err);

/* A profile in memory, and what notes and failures call it. Both must live as long as the call. */
typedef struct {
    const char *name;
    const void *data;
    size_t len;
} nyt_memory;

/* As nyt_merge(), of profiles in memory; *failed is the name of one. */
NYT_API int nyt_merge_memory(nyt_merged **out, const nyt_memory *profiles, size_t n,
                             nyt_note_fn note, void *ctx, const char **failed, nyt_error *err);

/* The same for one profile that is broken; also mends times and lines that are impossible, and
 * goes on behind damage. It is read twice then: a path must be one of a file. */
NYT_API int nyt_recover(nyt_merged **out, const char *path, nyt_note_fn note, void *ctx,
                        nyt_error *err);
/* As nyt_recover(), of a profile in memory. */
NYT_API int nyt_recover_memory(nyt_merged **out, const nyt_memory *profile, nyt_note_fn note,
                               void *ctx, nyt_error *err);

/* One more comment for the profile's head, without a newline: NYT_ENOMEM, NYT_EAPI. */
NYT_API int nyt_merged_comment(nyt_merged *m, const char *text);
/* Was every input whole and complete? */
NYT_API bool nyt_merged_complete(const nyt_merged *m);
/* Writes the profile; `level` as in nyt_writer_open(). NYT_ENOMEM, or what `write` returned. */
NYT_API int nyt_merged_write(nyt_merged *m, nyt_write_fn write, void *ctx, int level,
                             nyt_error *err);
/* Takes NULL. */
NYT_API void nyt_merged_free(nyt_merged *m);

/* ---- Diff: what changed from one profile to another --------------------------- */

/*
 * Lines, subs and call edges of both, matched: subs by name, files by path or what they hold,
 * lines by their text within their sub or file, so that code may move and checkouts have other
 * paths. docs/tools.md has the rules. Times that are not finite are taken as 0.
 */
typedef struct nyt_diff nyt_diff;

/* Both profiles must outlive the diff. NYT_ENOMEM, NYT_ELIMIT. */
NYT_API int nyt_diff_new(nyt_diff **out, const nyt_profile *before, const nyt_profile *after,
                         nyt_error *err);
/* Which of several runs' times stand for a side. */
typedef enum { NYT_TAKE_LEAST, NYT_TAKE_MEDIAN } nyt_diff_take;

/*
 * The same of several runs of each side, at least one. A time has changed only if all of one side's
 * are beyond those of the other.
 */
NYT_API int nyt_diff_new_runs(nyt_diff **out, const nyt_profile *const *before, size_t before_count,
                              const nyt_profile *const *after, size_t after_count,
                              nyt_diff_take take, nyt_error *err);
/* Takes NULL. All that the diff showed is gone; its profiles stay. */
NYT_API void nyt_diff_free(nyt_diff *d);

typedef enum { NYT_DIFF_LINES, NYT_DIFF_SUBS, NYT_DIFF_EDGES } nyt_diff_kind;

/* One of them in one of the profiles. */
typedef struct {
    bool there; /* else all that follows is zero */
    uint32_t fid, line; /* of a sub: its first line; of an edge: the first calling line */
    const nyt_str *name; /* of a sub, or of the called; a line's text. NULL: no text */
    const nyt_str *caller; /* of an edge */
    int64_t count; /* executions, or calls */
    double incl, excl; /* seconds */
    /* The least and the most of several runs; of one run all are the same. */
    double incl_most, excl_most;
    int64_t count_least, count_most;
    double incl_least, excl_least;
    bool shared; /* of a line: nyt_line.shared, in one of the runs */
} nyt_diff_side;

typedef struct {
    nyt_diff_side before, after; /* at least one of them is there */
} nyt_delta;

/* Everything that has figures in one of the profiles, changed or not; no certain order. */
NYT_API const nyt_delta *nyt_diff_list(const nyt_diff *d, nyt_diff_kind kind, size_t *n);

/* One figure of whole profiles, such as "total" or "calls". */
typedef struct {
    const char *name; /* static */
    bool is_time; /* seconds, else a number of something */
    double before, after;
    double before_most, after_most; /* of several runs, */
    double before_least, after_least; /* between which the others lie */
} nyt_diff_total;

/* All of these figures, in the order of reports. */
NYT_API const nyt_diff_total *nyt_diff_totals(const nyt_diff *d, size_t *n);

/*
 * Is a condition such as "total>+5%" met? docs/tools.md has the grammar. 1: it is, and `write`
 * (may be NULL) gets one sentence with the figures, without newline, safe for terminals; 0: it
 * is not, and `write` gets the same. NYT_EAPI: it is malformed, or what it names is in neither
 * profile; err->offset is the place in `condition`. With `d` NULL only the grammar is judged: 0.
 */
NYT_API int nyt_diff_check(const nyt_diff *d, const char *condition, nyt_write_fn write, void *ctx,
                           nyt_error *err);

/* ---- Exports and reports ------------------------------------------------------ */

/* Each writes to `write` and returns 0, what `write` returned, or NYT_ENOMEM, NYT_ELIMIT. */

/*
 * Every record, one a line, as a JSON array: names and order of fields as in docs/tools.md.
 * Errors of the reader are handed back after what was whole.
 */
NYT_API int nyt_export_jsonl(nyt_reader *in, nyt_write_fn write, void *ctx, nyt_error *err);
/* The same as words for the eye, with offsets. */
NYT_API int nyt_export_text(nyt_reader *in, nyt_write_fn write, void *ctx, nyt_error *err);

/* One JSON string with its quotes, all ASCII; bytes that are not UTF-8 are taken as Latin-1. */
NYT_API int nyt_export_json_string(nyt_str s, nyt_write_fn write, void *ctx);
/* One JSON object with all of the profile but the call tree, in the form of Perl's loader.
 * NYT_ELIMIT: a source has line numbers too large to list; all else was written. */
NYT_API int nyt_export_model(const nyt_profile *p, nyt_write_fn write, void *ctx, nyt_error *err);

/* How much of what a format shows there was in a profile. */
typedef enum {
    NYT_SHOWN_ALL,
    NYT_SHOWN_SUBS, /* no call tree: subs stand without their callers */
    NYT_SHOWN_LINES, /* no calls at all: lines, or files and their lines */
    NYT_SHOWN_NOTHING
} nyt_shown;

/*
 * How long an export may get; NULL, and 0 bytes: as long as it needs. What takes least time is
 * left out first, and its time is given to the nearest call path that stays. What became of the
 * profile is told here. Pictures tell it themselves.
 */
typedef struct {
    uint64_t max_bytes;
    size_t top; /* subs of a picture; 0: 40 */
    uint64_t left_out; /* call paths; set by the export, */
    double left_out_time; /* as their exclusive time in seconds is; */
    uint64_t left_out_lines; /* and lines, where there are any */
    nyt_shown shown;
    uint64_t folded_levels; /* of the deepest recursion that is one frame, "f x 15000"; or 0 */
    uint64_t cut_paths; /* deeper than 1000 frames in spite of that: added to those above */
    uint64_t missing_files; /* left out because there is no such file any more; */
    const nyt_str *missing; /* the name of the first: the profile's */
} nyt_limit;

/* The call tree, or the whole profile, in a format of other tools (docs/tools.md). `limit` makes
 * no difference to formats that cannot be limited. */
typedef int nyt_export_fn(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                          nyt_error *err);

/* Subs, lines and calls for KCachegrind and callgrind_annotate: text, times in nanoseconds. */
NYT_API nyt_export_fn nyt_export_callgrind;
/* One line for each call path and its exclusive ticks, for flame graphs. Can be limited. */
NYT_API nyt_export_fn nyt_export_collapsed;
/* The call tree and lines as V8 has them, for VS Code and browsers. Can be limited. */
NYT_API nyt_export_fn nyt_export_cpuprofile;
/* One table with all lines that have figures (RFC 4180). */
NYT_API nyt_export_fn nyt_export_csv;
/* The call graph of the `top` subs for Graphviz. */
NYT_API nyt_export_fn nyt_export_dot;
/* One JSON object with the whole profile, for programs. Can be limited. */
NYT_API nyt_export_fn nyt_export_json;
/* Counts of lines and subs, for genhtml and editors. */
NYT_API nyt_export_fn nyt_export_lcov;
/* The call tree and lines as a gzipped protobuf, for pprof. Can be limited. */
NYT_API nyt_export_fn nyt_export_pprof;
/* Subs and their callers, marshalled for Python's pstats. */
NYT_API nyt_export_fn nyt_export_pstats;
/* The call tree as JSON for speedscope. Can be limited. */
NYT_API nyt_export_fn nyt_export_speedscope;

/*
 * The lines of each file with their figures, as Perl's nytprofcsv writes them: `begin` is told the
 * name of the file that all is for that `write` gets from then on. It returns as nyt_write_fn does.
 */
typedef int nyt_begin_fn(void *ctx, const char *name);

/* `begin` may end the work as `write` may; what it returned is handed back. NYT_ENOMEM. */
NYT_API int nyt_export_nytprofcsv(const nyt_profile *p, nyt_begin_fn *begin, nyt_write_fn write,
                                  void *ctx, nyt_error *err);

typedef struct {
    const char *name;
    const char *suffix; /* what files of this format end with */
    bool binary; /* nothing for terminals */
    bool limited; /* nyt_limit.max_bytes has an effect, */
    bool picture; /* and nyt_limit.top */
    bool folder; /* it is several files; `write` is NULL: see nyt_export_nytprofcsv() */
    nyt_export_fn *write;
    const char *help;
} nyt_export_format;

/* All of the above, by name; static. */
NYT_API const nyt_export_format *nyt_export_formats(size_t *n);
/* One by its name, or NULL. */
NYT_API const nyt_export_format *nyt_export_format_named(const char *name);

typedef enum {
    NYT_SORT_TIME, /* lines: time; subs: exclusive time */
    NYT_SORT_INCL, /* subs: inclusive time */
    NYT_SORT_COUNT,
    NYT_SORT_PLACE /* lines: file and line; subs: name */
} nyt_sort;

typedef struct {
    size_t top; /* entries of each list; 0: as usual */
    nyt_sort sort;
    size_t width; /* columns; 0: nothing is cut */
    bool colour; /* ANSI sequences */
    bool json; /* an object instead of text (not of source) */
    const char *path; /* how the profile was called, for the heading; may be NULL */
    bool all; /* summary: plain lists of everything, without the answer before them */
    const nyt_filter *filter; /* may be NULL */
} nyt_report_options;

/* In the reports below what came from the profile is made harmless for terminals, and `options`
 * may be NULL. They return 0, what `write` returned, or NYT_ENOMEM. */

/*
 * Where the time went: one sentence, the parts of the program, the lines of the project that take
 * most, with their callers, then functions. With `all`: the lines, subs, files and calls that take
 * most.
 */
NYT_API int nyt_report_summary(const nyt_profile *p, const nyt_report_options *options,
                               nyt_write_fn write, void *ctx, nyt_error *err);
/* What kind of profile it is: sizes, processes, counts, attributes, settings, comments. */
NYT_API int nyt_report_info(const nyt_profile *p, const nyt_report_options *options,
                            nyt_write_fn write, void *ctx, nyt_error *err);
/* The source of one file with its figures; NYT_EAPI: no such fid. */
NYT_API int nyt_report_source(const nyt_profile *p, uint32_t fid, const nyt_report_options *options,
                              nyt_write_fn write, void *ctx, nyt_error *err);

/* One sub: where it stands, who calls it, its source with figures, what it calls. */
NYT_API int nyt_report_sub(const nyt_profile *p, const nyt_sub *sub,
                           const nyt_report_options *options, nyt_write_fn write, void *ctx,
                           nyt_error *err);
/* A list of subs, one a line. */
NYT_API int nyt_report_subs(const nyt_profile *p, const nyt_sub *const *subs, size_t n,
                            const nyt_report_options *options, nyt_write_fn write, void *ctx,
                            nyt_error *err);

/* The profile in Markdown, for tickets and assistants: as much as `budget` bytes (0: 4000) hold,
 * but at least the sentence and one line. */
NYT_API int nyt_report_explain(const nyt_profile *p, size_t budget,
                               const nyt_report_options *options, nyt_write_fn write, void *ctx,
                               nyt_error *err);

/* What of a call tree is shown; all zeros means as usual. */
typedef struct {
    double least; /* branches below this share of all time are folded; 0: 0.01 */
    const nyt_sub *const *focus; /* only what is below these subs; may be NULL */
    size_t focus_count;
} nyt_tree_options;

/* The call tree. Recursion is folded, and so are subs that the filter leaves out: their time is
 * told with that of the sub above. `how` may be NULL. */
NYT_API int nyt_report_tree(const nyt_profile *p, const nyt_tree_options *how,
                            const nyt_report_options *options, nyt_write_fn write, void *ctx,
                            nyt_error *err);

/*
 * Subs by what people call them: the whole name, else its end, else a POSIX regular expression
 * somewhere in it; "." counts as "::". Those that were never called only if no other fits so. The
 * dearest first. Only those of files that `filter` (may be NULL) shows. *n is how many there are, of
 * which `max` at most are in `found`. NYT_ENOMEM.
 */
NYT_API int nyt_find_subs(const nyt_profile *p, const char *wanted, const nyt_filter *filter,
                          const nyt_sub **found, size_t max, size_t *n);
/* Files by fid, whole name, name as reports show it, or its end; as above. */
NYT_API int nyt_find_files(const nyt_profile *p, const char *wanted, const nyt_filter *filter,
                           const nyt_file **found, size_t max, size_t *n);
/* Those whose names are most like it, at most `max` and NYT_NEAREST_MOST. Return how many. */
enum { NYT_NEAREST_MOST = 10 };
NYT_API size_t nyt_near_subs(const nyt_profile *p, const char *wanted, const nyt_sub **near,
                             size_t max);
NYT_API size_t nyt_near_units(const nyt_profile *p, const char *wanted, const nyt_unit **near,
                              size_t max);
NYT_API size_t nyt_near_files(const nyt_profile *p, const char *wanted, const nyt_file **near,
                              size_t max);

/* All zeros means as usual. */
typedef struct {
    uint64_t max_bytes; /* the page's size; 0: 5 MiB. What is left out, is told on it */
    const nyt_profile *compare; /* an earlier run to compare with; may be NULL */
} nyt_page_options;

/*
 * One HTML page with everything in it, for browsers: it needs no network. `options` may be NULL.
 * Threads and processes can be looked at alone if the profile was loaded with
 * nyt_load_options.sections.
 * NYT_ENOMEM, what `write` returned, or NYT_EAPI where the library was built without the page.
 */
NYT_API int nyt_report_page(const nyt_profile *p, const nyt_page_options *options,
                            nyt_write_fn write, void *ctx, nyt_error *err);
/*
 * The answer as a part of somebody else's page, a notebook's: some kilobytes of HTML without
 * scripts, styles and links. NYT_ENOMEM, or what `write` returned.
 */
NYT_API int nyt_report_fragment(const nyt_profile *p, nyt_write_fn write, void *ctx,
                                nyt_error *err);

/* What a report on a diff leaves out, and its form. All zeros means as usual. */
typedef struct {
    nyt_report_options report; /* `top` 0: all in JSON; `path` is that of the first profile */
    const char *path_after; /* may be NULL */
    const char *min_change; /* times that changed by less are the same; NULL: "5%,100us" */
    bool markdown; /* tables for pull requests */
    bool annotations; /* notes at the lines where work began to differ, for GitHub */
    const char *const *conditions; /* are told with the figures; see nyt_diff_check() */
    size_t condition_count;
} nyt_diff_options;

/* What changed, the most important first. `options` may be NULL. NYT_EAPI: `min_change` or a
 * condition is malformed. */
NYT_API int nyt_report_diff(const nyt_diff *d, const nyt_diff_options *options, nyt_write_fn write,
                            void *ctx, nyt_error *err);
/* Is `text` a nyt_diff_options.min_change? NYT_OK, or NYT_EAPI. */
NYT_API int nyt_diff_min_change(const char *text, nyt_error *err);

#ifdef __cplusplus
}
#endif
#endif
