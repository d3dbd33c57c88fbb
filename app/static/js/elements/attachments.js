import { sizeOf } from "../view/files.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

const MOST_PX = 360;

/** @typedef {import("../realtime/types.js").Attachment} Attachment */

/** @param {{attachments: Attachment[]}} props  pictures keep their place before they have come */
export function Attachments({ attachments }) {
  if (!attachments.length) return null;
  return html`
    <ul class="attachments" aria-label="Attachments">
      ${attachments.map((one) => html`<li key=${one.id}><${kindOf(one)} file=${one} /></li>`)}
    </ul>
  `;
}

/** @param {Attachment} file */
function kindOf({ contentType = "", thumbnailUrl, width }) {
  if (thumbnailUrl || (width && contentType.startsWith("image/"))) return Picture;
  return contentType.startsWith("audio/") ? Sound : File;
}

/** @param {{file: Attachment}} props */
const Sound = ({ file: { url, name } }) => html`<audio controls preload="metadata" src=${url} aria-label=${name}></audio>`;

/** @param {{file: Attachment}} props */
function Picture({ file }) {
  const { url, thumbnailUrl, name = "Picture" } = file;
  const [width, height] = [file.width ?? 400, file.height ?? 300];
  const scale = Math.min(1, MOST_PX / Math.max(width, height));
  return html`
    <a class="picture" href=${url} target="_blank" rel="noopener" title=${name}>
      <img src=${thumbnailUrl ?? url} alt=${name} loading="lazy" decoding="async" width=${Math.round(width * scale)} height=${Math.round(height * scale)} />
    </a>
  `;
}

/** @param {{file: Attachment}} props */
const File = ({ file: { url, name = "File", bytes } }) => html`
  <a class="file" href=${url} download=${name} target="_blank" rel="noopener">
    <${Icon} name="file" />
    <span class="file-name">${name}</span>
    ${bytes != null && html`<span class="file-size">${sizeOf(bytes)}</span>`}
  </a>
`;
