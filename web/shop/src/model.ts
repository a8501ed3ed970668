export interface Good {
  sku: string;
  name: string;
  note: string;
  price_kopecks: number;
  colour: string;
}

export interface Shop {
  key: string;
  goods: Good[];
}

export interface Cart {
  lines: { sku: string; quantity: number; price_kopecks: number }[];
}

/** What the widget tells: the quote and how many points of it. */
export interface Chosen {
  quote_id: string | null;
  points: number;
  pay_kopecks: number | null;
}

export interface Order {
  order_id: string;
  pay_kopecks: number;
  points: number;
  paid: boolean;
  returned: boolean;
  earned_points?: number;
  refund_kopecks?: number;
  restored_points?: number;
  reversed_points?: number;
}
