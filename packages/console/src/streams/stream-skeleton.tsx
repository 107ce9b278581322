// The list's shape while the first answer is on its way.

export function StreamSkeleton() {
  return (
    <section aria-busy="true" aria-label="Loading streams">
      <header class="page-head">
        <h1>Streams</h1>
      </header>
      <div class="stream-list">
        {[0, 1, 2].map((index) => (
          <div key={index} class="stream-row is-skeleton">
            <span class="bone" style={{ width: `${70 - index * 12}%` }} />
            <span class="bone" style={{ width: "60%" }} />
            <span class="bone" />
            <span class="bone" />
          </div>
        ))}
      </div>
    </section>
  );
}
