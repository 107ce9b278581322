// Shown without streams: how to get a picture within a minute.
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import { PublishGuide } from "./publish-guide.tsx";
import { TestPatternButton } from "./test-pattern-button.tsx";

export function EmptyStreams({ node }: { readonly node: OwnNodeRow }) {
  return (
    <section class="empty" aria-labelledby="empty-title">
      <div class="empty-lead">
        <span class="empty-art" aria-hidden="true">
          <svg width="120" height="72" viewBox="0 0 120 72">
            <path class="empty-gate" d="M38 4v64M82 4v64" />
            <rect class="empty-leaf" x="45" y="6" width="30" height="28" rx="3" />
            <path class="empty-water" d="M4 46c9.3-8 18.700-8 28 0s18.700 8 28 0 18.700-8 28 0 18.700 8 28 0" />
            <path class="empty-water faint" d="M4 58c9.3-8 18.700-8 28 0s18.700 8 28 0 18.700-8 28 0 18.700 8 28 0" />
          </svg>
        </span>
        <h1 id="empty-title">No streams yet</h1>
        <p>This node is ready. See it work with a moving test pattern, or publish from your own encoder.</p>
        <TestPatternButton kind="primary" />
      </div>
      <PublishGuide node={node} streamKey="live/cam" />
    </section>
  );
}
