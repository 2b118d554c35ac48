/** What an unknown thrown value says. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "this user is not allowed to",
  EPERM: "this user is not allowed to",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "it is a circle of symbolic links",
};

/** What the system refused, in words and without the path; what any other error says. */
export function inWords(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return WORDS[code] ?? errorMessage(error).replace(/ \(os error \d+\).*/s, "");
}
