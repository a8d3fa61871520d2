"""Reading manifests as they are rendered: objects, autoscalers, quantities. No cluster is asked."""
