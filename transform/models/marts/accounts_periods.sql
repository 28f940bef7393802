{{ figures_by_span(by_account=true) }}
