/** All components of the page in all their states, for a person to look at: `make page-shots` takes its picture. It is in no program. */

import { render } from "solid-js/web";
import { Sheet } from "./sheet";
import "../style.css";
import "./sheet.css";

const root = document.getElementById("root");
if (root) render(() => <Sheet />, root);
