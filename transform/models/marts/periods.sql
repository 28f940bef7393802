{{ figures_by_span() }}
