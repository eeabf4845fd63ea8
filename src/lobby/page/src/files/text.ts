/** Texts of files. */

import { translated } from "../language";

export const text = {
  files: "Files",
  upload: "Upload files…",
  download: "Download a file…",
  drop: "Drop files to upload them to this session",
  uploads: "Uploads",
  waiting: "waits",
  progress: (taken: string, size: string) => `${taken} of ${size}`,
  broken: "the line is broken; it goes on by itself",
  done: (path: string) => `is ${path}`,
  cancel: "Cancel",
  dismiss: "Close",
  of: (name: string) => `upload of ${name}`,
  tooLarge: (most: string) => `it is larger than ${most}`,
  isDirectory: "directories cannot be uploaded",
  below: "In",
  up: "Up",
  path: "Or by its path",
  pathHint: "Below the session's directory, or in your home",
  get: "Download",
  show: "Show",
  showImage: (name: string) => `Show ${name}`,
  image: (name: string) => `Image: ${name}`,
  empty: "No files here.",
  further: (count: number) => `${count} more are not listed`,
  openDirectory: "Open",
  loading: "Loading…",
};

translated("files", { text });
